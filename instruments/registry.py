"""Every driver by the name a bench file gives it. The one place that joins a driver and its emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import instruments.ametek_mx45.commands as ametek_mx45
import instruments.ametek_mx45.driver as ametek_mx45_driver
import instruments.ametek_mx45.emulator as ametek_mx45_emulator
import instruments.car_outlets.commands as car_outlets
import instruments.car_outlets.driver as car_outlets_driver
import instruments.car_outlets.emulator as car_outlets_emulator
import instruments.chroma_61845.commands as chroma_61845
import instruments.chroma_61845.driver as chroma_61845_driver
import instruments.chroma_61845.emulator as chroma_61845_emulator
import instruments.chroma_63804.commands as chroma_63804
import instruments.chroma_63804.driver as chroma_63804_driver
import instruments.chroma_63804.emulator as chroma_63804_emulator
import instruments.ea_psb_10000.commands as ea_psb_10000
import instruments.ea_psb_10000.driver as ea_psb_10000_driver
import instruments.ea_psb_10000.emulator as ea_psb_10000_emulator
import instruments.echonet_lite.commands as echonet_lite
import instruments.echonet_lite.driver as echonet_lite_driver
import instruments.echonet_lite.emulator as echonet_lite_emulator
import instruments.evps.commands as evps
import instruments.evps.control as evps_control
import instruments.evps.emulator as evps_emulator
import instruments.hioki_pw8001.commands as hioki_pw8001
import instruments.hioki_pw8001.driver as hioki_pw8001_driver
import instruments.hioki_pw8001.emulator as hioki_pw8001_emulator
import instruments.itech_it8617.commands as itech_it8617
import instruments.itech_it8617.driver as itech_it8617_driver
import instruments.itech_it8617.emulator as itech_it8617_emulator
import instruments.keysight_34970a.commands as keysight_34970a
import instruments.keysight_34970a.driver as keysight_34970a_driver
import instruments.keysight_34970a.emulator as keysight_34970a_emulator
import instruments.keysight_dsox.commands as keysight_dsox
import instruments.keysight_dsox.driver as keysight_dsox_driver
import instruments.keysight_dsox.emulator as keysight_dsox_emulator
import instruments.keysight_rp7962.commands as keysight_rp7962
import instruments.keysight_rp7962.driver as keysight_rp7962_driver
import instruments.keysight_rp7962.emulator as keysight_rp7962_emulator
import instruments.operator.commands as operator
import instruments.operator.driver as operator_driver
import instruments.operator.emulator as operator_emulator
import instruments.relay_contacts.commands as relay_contacts
import instruments.relay_contacts.driver as relay_contacts_driver
import instruments.relay_contacts.emulator as relay_contacts_emulator
import instruments.tektronix_mso5.commands as tektronix_mso5
import instruments.tektronix_mso5.driver as tektronix_mso5_driver
import instruments.tektronix_mso5.emulator as tektronix_mso5_emulator
import instruments.vehicle_interface.commands as vehicle_interface
import instruments.vehicle_interface.driver as vehicle_interface_driver
import instruments.vehicle_interface.emulator as vehicle_interface_emulator
import instruments.waveshare_relay_d.commands as waveshare_relay_d
import instruments.waveshare_relay_d.driver as waveshare_relay_d_driver
import instruments.waveshare_relay_d.emulator as waveshare_relay_d_emulator
import instruments.yokogawa_wt1800e.commands as yokogawa_wt1800e
import instruments.yokogawa_wt1800e.driver as yokogawa_wt1800e_driver
import instruments.yokogawa_wt1800e.emulator as yokogawa_wt1800e_emulator
from rig.drivers import Driver

REGISTRY: Final[Mapping[str, Driver]] = {
    "chroma_63804": Driver(
        "load",
        chroma_63804.Options,
        chroma_63804_driver.open_driver,
        chroma_63804_emulator.build,
        serial=chroma_63804.SERIAL,
        met_hardware=chroma_63804_driver.Chroma63804.met_hardware,
        accuracy="instruments/chroma_63804/accuracy.toml",
        model=r"638\d\d",
        fit=chroma_63804_driver.ACCURACY.fit,
    ),
    "chroma_61845": Driver(
        "grid",
        chroma_61845.Options,
        chroma_61845_driver.open_driver,
        chroma_61845_emulator.build,
        met_hardware=chroma_61845_driver.Chroma61845.met_hardware,
        accuracy="instruments/chroma_61845/accuracy.toml",
        model=r"618\d\d",
        fit=chroma_61845_emulator.ACCURACY.fit,
    ),
    "ea_psb_10000": Driver(
        "dc_source",
        ea_psb_10000.Options,
        ea_psb_10000_driver.open_driver,
        ea_psb_10000_emulator.build,
        met_hardware=ea_psb_10000_driver.EaPsb10000.met_hardware,
        accuracy="instruments/ea_psb_10000/accuracy.toml",
        model=r"PSB(I)? 1\d{4}-.*|PSB 9.*",
        fit=ea_psb_10000_driver.ACCURACY.fit,
    ),
    "yokogawa_wt1800e": Driver(
        "analyzer",
        yokogawa_wt1800e.Options,
        yokogawa_wt1800e_driver.open_driver,
        yokogawa_wt1800e_emulator.build,
        met_hardware=yokogawa_wt1800e_driver.YokogawaWt1800e.met_hardware,
        accuracy="instruments/yokogawa_wt1800e/accuracy.toml",
        model=r"WT180\dE?.*",
        fit=yokogawa_wt1800e_emulator.ACCURACY.fit,
    ),
    "keysight_dsox": Driver(
        "digitizer",
        keysight_dsox.Options,
        keysight_dsox_driver.open_driver,
        keysight_dsox_emulator.build,
        met_hardware=keysight_dsox_driver.KeysightDsox.met_hardware,
        accuracy="instruments/keysight_dsox/accuracy.toml",
        model=r"[DM]SO-?X ?[234]\d{3}A?.*",
        fit=keysight_dsox_driver.ACCURACY.fit,
    ),
    "keysight_34970a": Driver(
        "thermometer",
        keysight_34970a.Options,
        keysight_34970a_driver.open_driver,
        keysight_34970a_emulator.build,
        met_hardware=keysight_34970a_driver.Keysight34970a.met_hardware,
        accuracy="instruments/keysight_34970a/accuracy.toml",
        model=r"3497[02]A",
        fit=keysight_34970a_driver.ACCURACY.fit,
    ),
    "tektronix_mso5": Driver(
        "digitizer",
        tektronix_mso5.Options,
        tektronix_mso5_driver.open_driver,
        tektronix_mso5_emulator.build,
        met_hardware=tektronix_mso5_driver.TektronixMso5.met_hardware,
        accuracy="instruments/tektronix_mso5/accuracy.toml",
        model=r"MSO5\d\w*",
        fit=tektronix_mso5_driver.ACCURACY.fit,
    ),
    "itech_it8617": Driver(
        "load",
        itech_it8617.Options,
        itech_it8617_driver.open_driver,
        itech_it8617_emulator.build,
        met_hardware=itech_it8617_driver.ItechIt8617.met_hardware,
        accuracy="instruments/itech_it8617/accuracy.toml",
        fit=itech_it8617_driver.ACCURACY.fit,
    ),
    "keysight_rp7962": Driver(
        "dc_source",
        keysight_rp7962.Options,
        keysight_rp7962_driver.open_driver,
        keysight_rp7962_emulator.build,
        met_hardware=keysight_rp7962_driver.KeysightRp7962.met_hardware,
        accuracy="instruments/keysight_rp7962/accuracy.toml",
        fit=keysight_rp7962_driver.ACCURACY.fit,
    ),
    "ametek_mx45": Driver(
        "grid",
        ametek_mx45.Options,
        ametek_mx45_driver.open_driver,
        ametek_mx45_emulator.build,
        met_hardware=ametek_mx45_driver.AmetekMx45.met_hardware,
        accuracy="instruments/ametek_mx45/accuracy.toml",
        fit=ametek_mx45_emulator.ACCURACY.fit,
    ),
    "hioki_pw8001": Driver(
        "analyzer",
        hioki_pw8001.Options,
        hioki_pw8001_driver.open_driver,
        hioki_pw8001_emulator.build,
        met_hardware=hioki_pw8001_driver.HiokiPw8001.met_hardware,
        accuracy="instruments/hioki_pw8001/accuracy.toml",
        model=r"PW8001.*",
        fit=hioki_pw8001_emulator.ACCURACY.fit,
    ),
    "vehicle_interface": Driver(
        "vehicle",
        vehicle_interface.Options,
        vehicle_interface_driver.open_driver,
        vehicle_interface_emulator.build,
        transport="lines",
        baud=lambda options: int(options.baud),
        met_hardware=vehicle_interface_driver.VehicleInterfaceBox.met_hardware,
        accuracy="instruments/vehicle_interface/accuracy.toml",
    ),
    "evps": Driver(
        "charger",
        evps.Options,
        evps_control.open_driver,
        evps_emulator.build,
        transport="lines",
        baud=lambda options: int(options.baud),
        met_hardware=evps_control.EvpsPanel.met_hardware,
    ),
    "waveshare_relay_d": Driver(
        "digital_io",
        waveshare_relay_d.Options,
        waveshare_relay_d_driver.open_driver,
        waveshare_relay_d_emulator.build,
        transport="modbus",
        baud=lambda options: int(options.baud),
        met_hardware=waveshare_relay_d_driver.WaveshareRelayD.met_hardware,
    ),
    "relay_contacts": Driver(
        "charger",
        relay_contacts.Options,
        relay_contacts_driver.open_driver,
        relay_contacts_emulator.build,
        transport="contacts",
        met_hardware=relay_contacts_driver.ContactedCharger.met_hardware,
    ),
    "echonet_lite": Driver(
        "charger",
        echonet_lite.Options,
        echonet_lite_driver.open_driver,
        echonet_lite_emulator.build,
        transport="datagrams",
        port=echonet_lite.PORT,
        met_hardware=echonet_lite_driver.EchonetCharger.met_hardware,
    ),
    "car_outlets": Driver(
        "charger",
        car_outlets.Options,
        car_outlets_driver.open_driver,
        car_outlets_emulator.build,
        transport="prompts",
        met_hardware=operator_driver.OperatedCharger.met_hardware,
    ),
    "operator": Driver(
        "charger",
        operator.Options,
        operator_driver.open_driver,
        operator_emulator.build,
        transport="prompts",
        met_hardware=operator_driver.OperatedCharger.met_hardware,
    ),
}
