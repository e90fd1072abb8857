/* A small charger: charges and discharges beside the mains, and nothing else. The same one as ../small_charger.py,
   as a state machine in C: a session from the pressed button to the unlocked connector, current along a ramp. */

#include <math.h>
#include <string.h>

#include "charger.h"

#define MOST_VOLTS 450.0
#define MOST_AMPERES 15.0
#define MOST_WATTS 3000.0
#define LEAST_VOLTS 200.0           /* V below which it does not discharge */
#define EFFICIENCY 0.93
#define LONGEST (255 * 60.0)        /* s the remaining time can say */
#define RAMP_UP 40.0                /* A/s */
#define RAMP_DOWN 150.0
#define LAG 0.100                   /* s of its power stage: a ramp is led by it */
#define MARGIN 0.6                  /* A kept below the car's discharge limit */
#define NEAR 4.0                    /* V above the lower of both floors at which it takes no more */
#define TEST_VOLTS 500.0
#define LEAST_INSULATION (100.0 * MOST_VOLTS)
#define D1_AFTER_D2 0.6             /* s */
#define BLED 10.0                   /* V the output is discharged to before a contactor or the lock moves */
#define FIRST_FRAME 0.06            /* s after the car's first */

static const char *const NAMES[] = {
    "idle", "calling", "locking", "testing", "bleeding", "coupling",
    "matching", "ready", "running", "stopping", "opening", "releasing",
};

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

static void go(charger *c, enum phase phase)
{
    c->phase = phase;
    c->since = c->now;
}

static int heard(const charger *c, int frame) { return c->i[COUNT_LIMITS + frame] != c->known[frame]; }

static int heard_limits(const charger *c) { return heard(c, 0); }
static int heard_status(const charger *c) { return heard(c, 2); }
static int heard_discharge(const charger *c) { return heard(c, 3); }

static void forget(charger *c)
{
    memcpy(c->known, &c->i[COUNT_LIMITS], sizeof c->known);
    c->spoken = -1.0;
    c->charged = 0.0;
}

static void stage(charger *c, int mode, double u_ref, double i_ref, int contactor, int bleed)
{
    c->i[COMMAND_MODE] = mode;
    c->r[COMMAND_U_REF] = u_ref;
    c->r[COMMAND_I_REF] = i_ref;
    c->b[COMMAND_CONTACTOR] = contactor;
    c->b[COMMAND_BLEED] = bleed;
}

static int permitted(const charger *c) { return c->b[WIRE_K] && heard_status(c) && c->b[CAR_ENABLED]; }

/* Whether a phase before power flows has to end. */
static int over(const charger *c, double since, double longest)
{
    return c->ending || *c->fault || since > longest || !c->b[STAGE_ALIVE];
}

static double longest_charge(const charger *c)
{
    if (!heard(c, 1))
        return 0.0;
    return c->r[CAR_TIME_10S] == 2550.0 ? 60.0 * c->r[CAR_TIME_MIN] : c->r[CAR_TIME_10S];
}

/* A, positive charging. */
static double goal(const charger *c)
{
    double u = c->r[STAGE_U_OUT];
    if (!heard_status(c) || u < LEAST_VOLTS)
        return 0.0;
    if (c->i[SET_MODE] == CHARGE && c->charged < longest_charge(c))
        return least(c->r[CAR_REQUEST], least(MOST_AMPERES, least(c->r[SET_POWER], MOST_WATTS) * EFFICIENCY / u));
    if (c->i[SET_MODE] == DISCHARGE && c->b[CAR_DISCHARGES] && heard_discharge(c)) {
        double granted = most(c->r[CAR_MAX_DISCHARGE] - MARGIN, 0.0);
        if (u < most(LEAST_VOLTS, c->r[CAR_MIN_VOLTAGE]) + NEAR)
            return 0.0;
        return -least(granted, least(MOST_AMPERES, least(c->r[SET_POWER], MOST_WATTS) / (EFFICIENCY * u)));
    }
    return 0.0;
}

/* One step of a ramp, led by the stage's lag. */
static void steer(charger *c, double wanted, double step)
{
    double i = c->r[STAGE_I_OUT];
    double towards = wanted * i < 0.0 ? 0.0 : wanted;
    double rate = fabs(towards) < fabs(i) ? RAMP_DOWN : RAMP_UP;
    double change = most(-rate * step, least(rate * step, towards - i));
    double led = fabs(towards - i) < 0.1 ? towards : i + change * (1.0 + LAG / step);
    stage(c, STAGE_CURRENT, 0.0, led, 1, 0);
}

static void release(charger *c, double since)
{
    c->stopping = 1;
    c->flowing = 0;
    stage(c, STAGE_OFF, 0.0, 0.0, 0, 1);
    c->b[WIRE_D2] = 0;
    if (since > D1_AFTER_D2)
        c->b[WIRE_D1] = 0;
    if (since > 1.2 && c->r[STAGE_U_OUT] < BLED)
        c->locked = c->b[WIRE_LOCK] = 0;
    if (since > 1.5 && !c->locked) {
        stage(c, STAGE_OFF, 0.0, 0.0, 0, 0);
        c->spoken = -1.0;
        go(c, IDLE);
    }
}

static void run(charger *c, double step)
{
    double mains = c->i[SERVICE_LEGS] == 1 ? c->r[MAINS_U_L1] : least(c->r[MAINS_U_L1], c->r[MAINS_U_L2]);
    int faulty = c->b[CAR_OVERVOLTAGE] || c->b[CAR_UNDERVOLTAGE] || c->b[CAR_CURRENT_DEVIATION] || c->b[CAR_HOT]
        || c->b[CAR_VOLTAGE_DEVIATION] || c->b[CAR_SYSTEM_FAULT] || c->b[CAR_NOT_IN_PARK];
    if (c->ending || *c->fault || faulty || !permitted(c) || mains <= 0.8 * c->r[SERVICE_U_NOMINAL]) {
        go(c, ENDING);
        return;
    }
    if (c->r[STAGE_I_OUT] > 0.5)
        c->charged += step;
    steer(c, goal(c), step);
}

static void end(charger *c, double since, double step)
{
    c->stopping = 1;
    if (*c->fault || since > 1.5 || !c->b[STAGE_ALIVE])
        stage(c, STAGE_OFF, 0.0, 0.0, 1, 0);
    else
        steer(c, 0.0, step);
    if (fabs(c->r[STAGE_I_OUT]) < 0.5 && since > 0.2) {
        c->flowing = 0;
        go(c, OPENING);
    }
}

/* The session up to where power may flow. */
static void prepare(charger *c, double since)
{
    double u = c->r[STAGE_U_OUT];
    switch (c->phase) {
    case IDLE:
        if (c->wanted && !*c->fault && c->b[WIRE_PROXIMITY] && c->b[STAGE_ALIVE]) {
            c->wanted = c->ending = c->stopping = 0;
            forget(c);
            c->b[WIRE_D1] = 1;
            go(c, CALLING);
        }
        break;
    case CALLING:
        if (over(c, since, 8.0))
            go(c, RELEASING);
        else if (permitted(c) && heard_limits(c)) {
            c->b[WIRE_LOCK] = 1;
            go(c, LOCKING);
        }
        break;
    case LOCKING:
        stage(c, STAGE_OFF, 0.0, 0.0, 0, 1);
        c->locked = since >= 0.5;
        if (over(c, since, 6.0))
            go(c, RELEASING);
        else if (since >= 0.7 && u < BLED)
            go(c, TESTING);
        break;
    case TESTING: /* its own insulation test, before the car is on the cable */
        stage(c, STAGE_VOLTAGE, TEST_VOLTS, 0.0, 1, 0);
        if (over(c, since, 6.0))
            go(c, RELEASING);
        else if (since > 2.0 && u > 0.98 * TEST_VOLTS) {
            if (c->r[INSULATION] < LEAST_INSULATION)
                c->fault = "insulation";
            go(c, BLEEDING);
        }
        break;
    case MATCHING: /* its own side to the battery's voltage, then close onto it */
        if (over(c, since, 4.0))
            go(c, ENDING);
        else if (fabs(c->r[STAGE_U_NODE] - u) < 5.0 && since > 0.1) {
            stage(c, STAGE_CURRENT, 0.0, 0.0, 1, 0);
            go(c, READY);
        } else
            stage(c, STAGE_VOLTAGE, u, 0.0, 0, 0);
        break;
    case READY: /* power flows only after the car has asked for it, or granted it */
        if (over(c, since, 4.0))
            go(c, ENDING);
        else if ((heard_status(c) && c->r[CAR_REQUEST] > 0.0)
                 || (heard_discharge(c) && c->r[CAR_MAX_DISCHARGE] > 0.0)) {
            c->flowing = 1;
            go(c, ON);
        }
        break;
    default:
        break;
    }
}

static void couple(charger *c, double since)
{
    double u = c->r[STAGE_U_OUT];
    if (c->phase == BLEEDING) {
        stage(c, STAGE_OFF, 0.0, 0.0, u > BLED, 1);
        if (u > BLED)
            c->since = c->now;
        else if (over(c, since, 6.0))
            go(c, RELEASING);
        else if (since > 0.2) { /* its own contactor has opened */
            c->b[WIRE_D2] = 1;
            go(c, COUPLING);
        }
        return;
    }
    stage(c, STAGE_OFF, 0.0, 0.0, 0, 0);
    if (over(c, since, 4.0))
        go(c, RELEASING);
    else if (heard_status(c) && !c->b[CAR_CONTACTOR_OPEN] && u > LEAST_VOLTS)
        go(c, MATCHING);
}

static void press(charger *c)
{
    if (c->b[BUTTON_RESET] && c->phase == IDLE)
        c->fault = "";
    if (c->b[BUTTON_STOP]) {
        c->wanted = 0;
        c->ending = c->phase != IDLE;
    }
    if (c->b[BUTTON_START] && !*c->fault)
        c->wanted = 1;
    if (c->b[BUTTON_EMERGENCY] && !*c->fault)
        c->fault = "emergency_stop";
}

/* What the next frames hold, and the display. */
static void show(charger *c)
{
    double u = most(c->r[STAGE_U_OUT], 0.0), i = c->r[STAGE_I_OUT];
    double ceiling = heard_limits(c) ? c->r[CAR_MAX_VOLTAGE] : 0.0, offer = 0.0;
    if (c->i[SET_MODE] == CHARGE)
        offer = least(MOST_AMPERES, least(c->r[SET_POWER], MOST_WATTS) * EFFICIENCY / most(u, LEAST_VOLTS));
    offer = c->flowing ? (offer > 0.0 ? floor(offer) + 1.0 : 0.0) : MOST_AMPERES;
    c->b[SPEAKS] = c->spoken >= 0.0 && c->now - c->spoken >= FIRST_FRAME;
    c->r[OFFER_CURRENT] = least(offer, MOST_AMPERES);
    c->r[THRESHOLD_VOLTAGE] = least(MOST_VOLTS, ceiling);
    c->r[OUTPUT_VOLTAGE] = u;
    c->r[OUTPUT_CURRENT] = most(i, 0.0);
    c->r[DISCHARGE_CURRENT] = most(-i, 0.0);
    c->r[REMAINING_MIN] = 0.0;
    if (c->flowing)
        c->r[REMAINING_MIN] = least(most(longest_charge(c) - c->charged, 0.0), LONGEST) / 60.0;
    c->b[RUNNING] = c->flowing;
    c->b[MALFUNCTION] = *c->fault != 0;
    c->b[LOCKED] = c->locked;
    c->b[STOPPING] = c->stopping || !c->flowing;
    c->s[DISPLAY_PHASE] = c->phase == IDLE && *c->fault ? "fault" : NAMES[c->phase];
    c->s[DISPLAY_FAULT] = c->fault;
    c->i[DISPLAY_MODE] = c->i[SET_MODE];
}

void charger_begin(charger *c)
{
    memset(c, 0, sizeof *c);
    c->fault = "";
    c->spoken = -1.0;
    c->i[INTERFACE] = 1;
    c->i[SERVICE_LEGS] = 2;
    c->r[SERVICE_U_NOMINAL] = 100.0;
    c->r[SET_POWER] = MOST_WATTS;
    c->r[OFFER_VOLTAGE] = c->r[INPUT_VOLTAGE] = MOST_VOLTS;
    c->r[INPUT_CURRENT] = MOST_AMPERES;
    c->r[LOWER_THRESHOLD] = LEAST_VOLTS;
    c->r[PROTOCOL] = c->r[SEQUENCE] = 2.0;
    c->r[REMAINING_10S] = 2550.0;
    c->b[WELDING_DETECTION] = c->b[DISCHARGES] = c->b[CAR_CONTACTOR_OPEN] = 1;
    show(c);
}

void charger_look(charger *c, double now, double step)
{
    double since;
    c->now = now;
    since = now - c->since;
    press(c);
    if (c->phase != IDLE && c->spoken < 0.0 && (heard(c, 0) || heard(c, 1) || heard(c, 2) || heard(c, 3)))
        c->spoken = now;
    switch (c->phase) {
    case BLEEDING:
    case COUPLING:
        couple(c, since);
        break;
    case ON:
        run(c, step);
        break;
    case ENDING:
        end(c, since, step);
        break;
    case OPENING: { /* its own contactor, then the car's, which tests for welding in between */
        int gone = !heard_status(c) || c->b[CAR_CONTACTOR_OPEN] || !c->b[WIRE_PROXIMITY];
        stage(c, STAGE_OFF, 0.0, 0.0, 0, since > 0.1);
        if (since > 0.2 && (gone || since > 8.0))
            go(c, RELEASING);
        break;
    }
    case RELEASING:
        release(c, since);
        break;
    default:
        prepare(c, since);
    }
    show(c);
}
