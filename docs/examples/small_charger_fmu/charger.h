/* A small charger's electronics: what goes in, what comes out, and one look at it every communication step.
   The order of each list is that of the value references in modelDescription.xml, counted from 0. */

#ifndef CHARGER_H
#define CHARGER_H

enum reals {
    SET_POWER, SET_RESERVE,                                                     /* 0.. in */
    STAGE_U_OUT, STAGE_U_NODE, STAGE_I_OUT, INSULATION, MAINS_U_L1, MAINS_U_L2,
    CAR_MAX_VOLTAGE, CAR_TIME_10S, CAR_TIME_MIN, CAR_REQUEST, CAR_MAX_DISCHARGE, CAR_MIN_VOLTAGE,
    SERVICE_U_NOMINAL,                                                          /* 14 parameter */
    COMMAND_U_REF, COMMAND_I_REF,                                               /* 15.. out */
    OFFER_VOLTAGE, OFFER_CURRENT, THRESHOLD_VOLTAGE,
    PROTOCOL, OUTPUT_VOLTAGE, OUTPUT_CURRENT, REMAINING_10S, REMAINING_MIN,
    DISCHARGE_CURRENT, INPUT_VOLTAGE, INPUT_CURRENT, LOWER_THRESHOLD,
    SEQUENCE, REMAINING_DISCHARGE,
    REALS
};

enum integers {
    SET_MODE, COUNT_LIMITS, COUNT_TIMES, COUNT_STATUS, COUNT_DISCHARGE,         /* 0.. in */
    SERVICE_LEGS, INTERFACE,                                                    /* 5, 6 parameters */
    COMMAND_MODE, DISPLAY_MODE,                                                 /* 7, 8 out */
    INTEGERS
};

enum booleans {
    BUTTON_START, BUTTON_STOP, BUTTON_EMERGENCY, BUTTON_RESET, SET_TRANSFER,    /* 0.. in */
    WIRE_K, WIRE_PROXIMITY, STAGE_ALIVE,
    CAR_OVERVOLTAGE, CAR_UNDERVOLTAGE, CAR_CURRENT_DEVIATION, CAR_HOT, CAR_VOLTAGE_DEVIATION,
    CAR_ENABLED, CAR_NOT_IN_PARK, CAR_SYSTEM_FAULT, CAR_CONTACTOR_OPEN, CAR_DISCHARGES,
    WIRE_D1, WIRE_D2, WIRE_LOCK, COMMAND_CONTACTOR, COMMAND_BLEED, SPEAKS,      /* 18.. out */
    WELDING_DETECTION, DISCHARGES, RUNNING, MALFUNCTION, LOCKED, BATTERY_INCOMPATIBLE, SYSTEM_MALFUNCTION, STOPPING,
    ON_BACKUP,
    BOOLEANS
};

enum strings { DISPLAY_PHASE, DISPLAY_FAULT, STRINGS };

enum modes { STANDBY, CHARGE, DISCHARGE };
enum stage_modes { STAGE_OFF, STAGE_VOLTAGE, STAGE_CURRENT };

enum phase {
    IDLE, CALLING, LOCKING, TESTING, BLEEDING, COUPLING, MATCHING, READY, ON, ENDING, OPENING, RELEASING
};

typedef struct {
    double r[REALS];
    int i[INTEGERS];
    int b[BOOLEANS];
    const char *s[STRINGS];

    enum phase phase;
    double now, since;      /* s: of FMU time, and when the phase began */
    double spoken;          /* s when the car was heard first in this session; below 0: not yet */
    double charged;         /* s of charging in this session */
    const char *fault;
    int wanted, ending, flowing, locked, stopping;
    int known[4];           /* counts of the car's frames when the session began */
} charger;

void charger_begin(charger *c);
void charger_look(charger *c, double now, double step);

#endif
