# bash completion for scmictl, written by `scmictl completion bash`
_scmictl() {
    local cur=${COMP_WORDS[COMP_CWORD]} path= option= words= options= word i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -n $option ]]; then option=; continue; fi
        case $word in
            --target|-t|--output|-o|--fields|--sort|--where|--units|--color|--timeout|-T|--delayed-timeout|--deadline|--retry-busy|--proto|--vendor|--config|--command|-c|--count|-n|--for|--idle|--until|--timestamps|--interval|--round|--plot|--below|--above|--payload|--type|--as|--token|--status|--socket|--mode|--fault|--seed|--var) option=$word ;;
            -*) ;;
            *) path+="${path:+ }$word" ;;
        esac
    done
    case "$path " in
        "base perms device "*) words='allow deny' options='' ;;
        "base perms protocol "*) words='allow deny' options='' ;;
        "perf level get "*) words='' options='' ;;
        "perf level set "*) words='' options='' ;;
        "perf limits get "*) words='' options='' ;;
        "perf limits set "*) words='' options='' ;;
        "clock parent get "*) words='' options='' ;;
        "clock parent set "*) words='' options='' ;;
        "clock config get "*) words='' options='' ;;
        "clock config set "*) words='' options='' ;;
        "sensor config get "*) words='' options='' ;;
        "sensor config set "*) words='enable disable' options='--interval --timestamps' ;;
        "sensor trip set "*) words='' options='--rising --falling --both' ;;
        "sensor trip clear "*) words='' options='' ;;
        "powercap pai get "*) words='' options='' ;;
        "powercap pai set "*) words='' options='' ;;
        "pinctrl config get "*) words='pin group' options='' ;;
        "pinctrl config set "*) words='pin group default= bias-bus-hold= bias-disable= bias-high-impedance= bias-pull-up= bias-pull-default= bias-pull-down= drive-open-drain= drive-open-source= drive-push-pull= drive-strength= input-debounce= input-mode= pull-mode= input-value= input-schmitt= low-power-mode= output-mode= output-value= power-source= slew-rate=' options='' ;;
        "base perms "*) words='device protocol' options='' ;;
        "base info "*) words='' options='' ;;
        "base agents "*) words='' options='' ;;
        "base protocols "*) words='' options='' ;;
        "base reset-agent "*) words='' options='--permissions' ;;
        "base watch "*) words='' options='--count --for --idle --until --timestamps' ;;
        "power list "*) words='' options='' ;;
        "power show "*) words='' options='' ;;
        "power info "*) words='' options='' ;;
        "power get "*) words='' options='' ;;
        "power set "*) words='on off' options='--async' ;;
        "power watch "*) words='' options='--requested --count --for --idle --until --interval --timestamps' ;;
        "power stats "*) words='' options='' ;;
        "system info "*) words='' options='' ;;
        "system get "*) words='' options='' ;;
        "system set "*) words='shutdown cold-reset warm-reset power-up suspend' options='--graceful' ;;
        "system watch "*) words='' options='--count --for --idle --until --timestamps' ;;
        "perf level "*) words='get set' options='' ;;
        "perf limits "*) words='get set' options='' ;;
        "perf list "*) words='' options='' ;;
        "perf show "*) words='' options='' ;;
        "perf info "*) words='' options='' ;;
        "perf levels "*) words='' options='' ;;
        "perf stats "*) words='' options='' ;;
        "perf watch "*) words='' options='--limits --count --for --idle --until --interval --timestamps' ;;
        "clock parent "*) words='get set' options='' ;;
        "clock config "*) words='get set' options='' ;;
        "clock list "*) words='' options='' ;;
        "clock show "*) words='' options='' ;;
        "clock info "*) words='' options='' ;;
        "clock get "*) words='' options='' ;;
        "clock set "*) words='' options='--round --async' ;;
        "clock enable "*) words='' options='' ;;
        "clock disable "*) words='' options='' ;;
        "clock rates "*) words='' options='' ;;
        "clock parents "*) words='' options='' ;;
        "clock perms "*) words='' options='' ;;
        "clock tree "*) words='' options='' ;;
        "clock watch "*) words='' options='--requested --count --for --idle --until --interval --timestamps' ;;
        "sensor config "*) words='get set' options='' ;;
        "sensor trip "*) words='set clear' options='' ;;
        "sensor list "*) words='' options='' ;;
        "sensor show "*) words='' options='' ;;
        "sensor info "*) words='' options='' ;;
        "sensor read "*) words='' options='--enable --async' ;;
        "sensor axes "*) words='' options='' ;;
        "sensor intervals "*) words='' options='' ;;
        "sensor watch "*) words='' options='--enable --plot --count --for --idle --until --interval --timestamps' ;;
        "reset list "*) words='' options='' ;;
        "reset show "*) words='' options='' ;;
        "reset info "*) words='' options='' ;;
        "reset assert "*) words='' options='' ;;
        "reset deassert "*) words='' options='' ;;
        "reset pulse "*) words='' options='--async' ;;
        "reset watch "*) words='' options='--count --for --idle --until --timestamps' ;;
        "voltage list "*) words='' options='' ;;
        "voltage show "*) words='' options='' ;;
        "voltage info "*) words='' options='' ;;
        "voltage levels "*) words='' options='' ;;
        "voltage get "*) words='' options='' ;;
        "voltage set "*) words='' options='' ;;
        "voltage enable "*) words='' options='' ;;
        "voltage disable "*) words='' options='' ;;
        "powercap pai "*) words='get set' options='' ;;
        "powercap list "*) words='' options='' ;;
        "powercap show "*) words='' options='' ;;
        "powercap info "*) words='' options='' ;;
        "powercap get "*) words='' options='' ;;
        "powercap set "*) words='' options='--async' ;;
        "powercap measure "*) words='' options='' ;;
        "powercap tree "*) words='' options='' ;;
        "powercap watch "*) words='' options='--below --above --power --count --for --idle --until --interval --timestamps' ;;
        "pinctrl config "*) words='get set' options='' ;;
        "pinctrl list "*) words='pins groups functions' options='' ;;
        "pinctrl show "*) words='pin group function' options='' ;;
        "pinctrl info "*) words='' options='' ;;
        "pinctrl assoc "*) words='group function' options='' ;;
        "pinctrl select "*) words='pin group' options='' ;;
        "pinctrl request "*) words='pin group' options='' ;;
        "pinctrl release "*) words='pin group' options='' ;;
        "board ls "*) words='' options='' ;;
        "board show "*) words='' options='' ;;
        "board check "*) words='' options='' ;;
        "base "*) words='info agents protocols perms reset-agent watch' options='' ;;
        "power "*) words='list show info get set watch stats' options='' ;;
        "system "*) words='info get set watch' options='' ;;
        "perf "*) words='list show info levels level limits stats watch' options='' ;;
        "clock "*) words='list show info get set enable disable rates parents parent config perms tree watch' options='' ;;
        "sensor "*) words='list show info read axes intervals config trip watch' options='' ;;
        "reset "*) words='list show info assert deassert pulse watch' options='' ;;
        "voltage "*) words='list show info levels get set enable disable' options='' ;;
        "powercap "*) words='list show info get set pai measure tree watch' options='' ;;
        "pinctrl "*) words='list show info assoc config select request release' options='' ;;
        "info "*) words='' options='' ;;
        "watch "*) words='BASE_ERROR_EVENT POWER_STATE_CHANGED POWER_STATE_CHANGE_REQUESTED SYSTEM_POWER_STATE_NOTIFIER PERFORMANCE_LIMITS_CHANGED PERFORMANCE_LEVEL_CHANGED CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE RESET_ISSUED POWERCAP_CAP_CHANGED POWERCAP_MEASUREMENTS_CHANGED LMM_EVENT BBM_RTC_EVENT BBM_BUTTON_EVENT FUSA_FEENV_STATE_EVENT' options='--count --for --idle --until --interval --timestamps' ;;
        "subscribe "*) words='BASE_ERROR_EVENT POWER_STATE_CHANGED POWER_STATE_CHANGE_REQUESTED SYSTEM_POWER_STATE_NOTIFIER PERFORMANCE_LIMITS_CHANGED PERFORMANCE_LEVEL_CHANGED CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE RESET_ISSUED POWERCAP_CAP_CHANGED POWERCAP_MEASUREMENTS_CHANGED LMM_EVENT BBM_RTC_EVENT BBM_BUTTON_EVENT FUSA_FEENV_STATE_EVENT' options='' ;;
        "unsubscribe "*) words='BASE_ERROR_EVENT POWER_STATE_CHANGED POWER_STATE_CHANGE_REQUESTED SYSTEM_POWER_STATE_NOTIFIER PERFORMANCE_LIMITS_CHANGED PERFORMANCE_LEVEL_CHANGED CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE RESET_ISSUED POWERCAP_CAP_CHANGED POWERCAP_MEASUREMENTS_CHANGED LMM_EVENT BBM_RTC_EVENT BBM_BUTTON_EVENT FUSA_FEENV_STATE_EVENT' options='' ;;
        "call "*) words='base.PROTOCOL_VERSION base.PROTOCOL_ATTRIBUTES base.PROTOCOL_MESSAGE_ATTRIBUTES BASE_DISCOVER_VENDOR BASE_DISCOVER_SUB_VENDOR BASE_DISCOVER_IMPLEMENTATION_VERSION BASE_DISCOVER_LIST_PROTOCOLS BASE_DISCOVER_AGENT BASE_NOTIFY_ERRORS BASE_SET_DEVICE_PERMISSIONS BASE_SET_PROTOCOL_PERMISSIONS BASE_RESET_AGENT_CONFIGURATION base.NEGOTIATE_PROTOCOL_VERSION power.PROTOCOL_VERSION power.PROTOCOL_ATTRIBUTES power.PROTOCOL_MESSAGE_ATTRIBUTES POWER_DOMAIN_ATTRIBUTES POWER_STATE_SET POWER_STATE_GET POWER_STATE_NOTIFY POWER_STATE_CHANGE_REQUESTED_NOTIFY POWER_DOMAIN_NAME_GET power.NEGOTIATE_PROTOCOL_VERSION system.PROTOCOL_VERSION system.PROTOCOL_ATTRIBUTES system.PROTOCOL_MESSAGE_ATTRIBUTES SYSTEM_POWER_STATE_SET SYSTEM_POWER_STATE_GET SYSTEM_POWER_STATE_NOTIFY system.NEGOTIATE_PROTOCOL_VERSION perf.PROTOCOL_VERSION perf.PROTOCOL_ATTRIBUTES perf.PROTOCOL_MESSAGE_ATTRIBUTES PERFORMANCE_DOMAIN_ATTRIBUTES PERFORMANCE_DESCRIBE_LEVELS PERFORMANCE_LIMITS_SET PERFORMANCE_LIMITS_GET PERFORMANCE_LEVEL_SET PERFORMANCE_LEVEL_GET PERFORMANCE_NOTIFY_LIMITS PERFORMANCE_NOTIFY_LEVEL PERFORMANCE_DESCRIBE_FASTCHANNEL PERFORMANCE_DOMAIN_NAME_GET perf.NEGOTIATE_PROTOCOL_VERSION clock.PROTOCOL_VERSION clock.PROTOCOL_ATTRIBUTES clock.PROTOCOL_MESSAGE_ATTRIBUTES CLOCK_ATTRIBUTES CLOCK_DESCRIBE_RATES CLOCK_RATE_SET CLOCK_RATE_GET CLOCK_CONFIG_SET CLOCK_NAME_GET CLOCK_RATE_NOTIFY CLOCK_RATE_CHANGE_REQUESTED_NOTIFY CLOCK_CONFIG_GET CLOCK_POSSIBLE_PARENTS_GET CLOCK_PARENT_SET CLOCK_PARENT_GET CLOCK_GET_PERMISSIONS clock.NEGOTIATE_PROTOCOL_VERSION sensor.PROTOCOL_VERSION sensor.PROTOCOL_ATTRIBUTES sensor.PROTOCOL_MESSAGE_ATTRIBUTES SENSOR_DESCRIPTION_GET SENSOR_TRIP_POINT_NOTIFY SENSOR_TRIP_POINT_CONFIG SENSOR_READING_GET SENSOR_AXIS_DESCRIPTION_GET SENSOR_LIST_UPDATE_INTERVALS SENSOR_CONFIG_GET SENSOR_CONFIG_SET SENSOR_CONTINUOUS_UPDATE_NOTIFY SENSOR_NAME_GET SENSOR_AXIS_NAME_GET sensor.NEGOTIATE_PROTOCOL_VERSION reset.PROTOCOL_VERSION reset.PROTOCOL_ATTRIBUTES reset.PROTOCOL_MESSAGE_ATTRIBUTES RESET_DOMAIN_ATTRIBUTES RESET RESET_NOTIFY RESET_DOMAIN_NAME_GET reset.NEGOTIATE_PROTOCOL_VERSION voltage.PROTOCOL_VERSION voltage.PROTOCOL_ATTRIBUTES voltage.PROTOCOL_MESSAGE_ATTRIBUTES VOLTAGE_DOMAIN_ATTRIBUTES VOLTAGE_DESCRIBE_LEVELS VOLTAGE_CONFIG_SET VOLTAGE_CONFIG_GET VOLTAGE_LEVEL_SET VOLTAGE_LEVEL_GET VOLTAGE_DOMAIN_NAME_GET voltage.NEGOTIATE_PROTOCOL_VERSION powercap.PROTOCOL_VERSION powercap.PROTOCOL_ATTRIBUTES powercap.PROTOCOL_MESSAGE_ATTRIBUTES POWERCAP_DOMAIN_ATTRIBUTES POWERCAP_CAP_GET POWERCAP_CAP_SET POWERCAP_PAI_GET POWERCAP_PAI_SET POWERCAP_DOMAIN_NAME_GET POWERCAP_MEASUREMENTS_GET POWERCAP_CAP_NOTIFY POWERCAP_MEASUREMENTS_NOTIFY POWERCAP_DESCRIBE_FASTCHANNEL POWERCAP_CPC_ATTRIBUTES POWERCAP_CAI_GET POWERCAP_CAI_SET powercap.NEGOTIATE_PROTOCOL_VERSION pinctrl.PROTOCOL_VERSION pinctrl.PROTOCOL_ATTRIBUTES pinctrl.PROTOCOL_MESSAGE_ATTRIBUTES PINCTRL_ATTRIBUTES PINCTRL_LIST_ASSOCIATIONS PINCTRL_SETTINGS_GET PINCTRL_SETTINGS_CONFIGURE PINCTRL_REQUEST PINCTRL_RELEASE PINCTRL_NAME_GET PINCTRL_SET_PERMISSIONS pinctrl.NEGOTIATE_PROTOCOL_VERSION telemetry.PROTOCOL_VERSION telemetry.PROTOCOL_ATTRIBUTES telemetry.PROTOCOL_MESSAGE_ATTRIBUTES TELEMETRY_LIST_SHMTI TELEMETRY_DE_DESCRIPTION TELEMETRY_LIST_UPDATE_INTERVALS TELEMETRY_DE_CONFIGURE TELEMETRY_DE_ENABLED_LIST TELEMETRY_CONFIG_SET TELEMETRY_CONFIG_GET TELEMETRY_RESET telemetry.NEGOTIATE_PROTOCOL_VERSION nxp-lmm.PROTOCOL_VERSION nxp-lmm.PROTOCOL_ATTRIBUTES nxp-lmm.PROTOCOL_MESSAGE_ATTRIBUTES LMM_ATTRIBUTES LMM_BOOT LMM_RESET LMM_SHUTDOWN LMM_WAKE LMM_SUSPEND LMM_NOTIFY LMM_RESET_REASON LMM_POWER_ON LMM_RESET_VECTOR_SET nxp-lmm.NEGOTIATE_PROTOCOL_VERSION nxp-bbm.PROTOCOL_VERSION nxp-bbm.PROTOCOL_ATTRIBUTES nxp-bbm.PROTOCOL_MESSAGE_ATTRIBUTES BBM_GPR_SET BBM_GPR_GET BBM_RTC_ATTRIBUTES BBM_RTC_TIME_SET BBM_RTC_TIME_GET BBM_RTC_ALARM_SET BBM_BUTTON_GET BBM_RTC_NOTIFY BBM_BUTTON_NOTIFY BBM_RTC_STATE nxp-bbm.NEGOTIATE_PROTOCOL_VERSION nxp-cpu.PROTOCOL_VERSION nxp-cpu.PROTOCOL_ATTRIBUTES nxp-cpu.PROTOCOL_MESSAGE_ATTRIBUTES CPU_ATTRIBUTES CPU_START CPU_STOP CPU_RESET_VECTOR_SET CPU_SLEEP_MODE_SET CPU_IRQ_WAKE_SET CPU_NON_IRQ_WAKE_SET CPU_PD_LPM_CONFIG_SET CPU_PER_LPM_CONFIG_SET CPU_INFO_GET nxp-cpu.NEGOTIATE_PROTOCOL_VERSION nxp-fusa.PROTOCOL_VERSION nxp-fusa.PROTOCOL_ATTRIBUTES nxp-fusa.PROTOCOL_MESSAGE_ATTRIBUTES FUSA_FEENV_STATE_GET FUSA_FEENV_STATE_NOTIFY FUSA_SEENV_STATE_GET FUSA_SEENV_STATE_SET FUSA_FAULT_GET FUSA_FAULT_SET FUSA_FAULT_GROUP_NOTIFY FUSA_SCHECK_EVNTRIG FUSA_SCHECK_TEST_EXEC nxp-fusa.NEGOTIATE_PROTOCOL_VERSION nxp-misc.PROTOCOL_VERSION nxp-misc.PROTOCOL_ATTRIBUTES nxp-misc.PROTOCOL_MESSAGE_ATTRIBUTES MISC_CONTROL_SET MISC_CONTROL_GET MISC_CONTROL_ACTION MISC_DISCOVER_BUILD_INFO MISC_ROM_PASSOVER_GET MISC_CONTROL_NOTIFY MISC_REASON_ATTRIBUTES MISC_RESET_REASON MISC_SI_INFO MISC_CFG_INFO MISC_SYSLOG MISC_BOARD_INFO nxp-misc.NEGOTIATE_PROTOCOL_VERSION MISC_CONTROL_EXT_SET MISC_CONTROL_EXT_GET MISC_DDR_INFO_GET' options='' ;;
        "raw "*) words='' options='--payload --type' ;;
        "decode "*) words='' options='--as' ;;
        "encode "*) words='base.PROTOCOL_VERSION base.PROTOCOL_ATTRIBUTES base.PROTOCOL_MESSAGE_ATTRIBUTES BASE_DISCOVER_VENDOR BASE_DISCOVER_SUB_VENDOR BASE_DISCOVER_IMPLEMENTATION_VERSION BASE_DISCOVER_LIST_PROTOCOLS BASE_DISCOVER_AGENT BASE_NOTIFY_ERRORS BASE_SET_DEVICE_PERMISSIONS BASE_SET_PROTOCOL_PERMISSIONS BASE_RESET_AGENT_CONFIGURATION base.NEGOTIATE_PROTOCOL_VERSION power.PROTOCOL_VERSION power.PROTOCOL_ATTRIBUTES power.PROTOCOL_MESSAGE_ATTRIBUTES POWER_DOMAIN_ATTRIBUTES POWER_STATE_SET POWER_STATE_GET POWER_STATE_NOTIFY POWER_STATE_CHANGE_REQUESTED_NOTIFY POWER_DOMAIN_NAME_GET power.NEGOTIATE_PROTOCOL_VERSION system.PROTOCOL_VERSION system.PROTOCOL_ATTRIBUTES system.PROTOCOL_MESSAGE_ATTRIBUTES SYSTEM_POWER_STATE_SET SYSTEM_POWER_STATE_GET SYSTEM_POWER_STATE_NOTIFY system.NEGOTIATE_PROTOCOL_VERSION perf.PROTOCOL_VERSION perf.PROTOCOL_ATTRIBUTES perf.PROTOCOL_MESSAGE_ATTRIBUTES PERFORMANCE_DOMAIN_ATTRIBUTES PERFORMANCE_DESCRIBE_LEVELS PERFORMANCE_LIMITS_SET PERFORMANCE_LIMITS_GET PERFORMANCE_LEVEL_SET PERFORMANCE_LEVEL_GET PERFORMANCE_NOTIFY_LIMITS PERFORMANCE_NOTIFY_LEVEL PERFORMANCE_DESCRIBE_FASTCHANNEL PERFORMANCE_DOMAIN_NAME_GET perf.NEGOTIATE_PROTOCOL_VERSION clock.PROTOCOL_VERSION clock.PROTOCOL_ATTRIBUTES clock.PROTOCOL_MESSAGE_ATTRIBUTES CLOCK_ATTRIBUTES CLOCK_DESCRIBE_RATES CLOCK_RATE_SET CLOCK_RATE_GET CLOCK_CONFIG_SET CLOCK_NAME_GET CLOCK_RATE_NOTIFY CLOCK_RATE_CHANGE_REQUESTED_NOTIFY CLOCK_CONFIG_GET CLOCK_POSSIBLE_PARENTS_GET CLOCK_PARENT_SET CLOCK_PARENT_GET CLOCK_GET_PERMISSIONS clock.NEGOTIATE_PROTOCOL_VERSION sensor.PROTOCOL_VERSION sensor.PROTOCOL_ATTRIBUTES sensor.PROTOCOL_MESSAGE_ATTRIBUTES SENSOR_DESCRIPTION_GET SENSOR_TRIP_POINT_NOTIFY SENSOR_TRIP_POINT_CONFIG SENSOR_READING_GET SENSOR_AXIS_DESCRIPTION_GET SENSOR_LIST_UPDATE_INTERVALS SENSOR_CONFIG_GET SENSOR_CONFIG_SET SENSOR_CONTINUOUS_UPDATE_NOTIFY SENSOR_NAME_GET SENSOR_AXIS_NAME_GET sensor.NEGOTIATE_PROTOCOL_VERSION reset.PROTOCOL_VERSION reset.PROTOCOL_ATTRIBUTES reset.PROTOCOL_MESSAGE_ATTRIBUTES RESET_DOMAIN_ATTRIBUTES RESET RESET_NOTIFY RESET_DOMAIN_NAME_GET reset.NEGOTIATE_PROTOCOL_VERSION voltage.PROTOCOL_VERSION voltage.PROTOCOL_ATTRIBUTES voltage.PROTOCOL_MESSAGE_ATTRIBUTES VOLTAGE_DOMAIN_ATTRIBUTES VOLTAGE_DESCRIBE_LEVELS VOLTAGE_CONFIG_SET VOLTAGE_CONFIG_GET VOLTAGE_LEVEL_SET VOLTAGE_LEVEL_GET VOLTAGE_DOMAIN_NAME_GET voltage.NEGOTIATE_PROTOCOL_VERSION powercap.PROTOCOL_VERSION powercap.PROTOCOL_ATTRIBUTES powercap.PROTOCOL_MESSAGE_ATTRIBUTES POWERCAP_DOMAIN_ATTRIBUTES POWERCAP_CAP_GET POWERCAP_CAP_SET POWERCAP_PAI_GET POWERCAP_PAI_SET POWERCAP_DOMAIN_NAME_GET POWERCAP_MEASUREMENTS_GET POWERCAP_CAP_NOTIFY POWERCAP_MEASUREMENTS_NOTIFY POWERCAP_DESCRIBE_FASTCHANNEL POWERCAP_CPC_ATTRIBUTES POWERCAP_CAI_GET POWERCAP_CAI_SET powercap.NEGOTIATE_PROTOCOL_VERSION pinctrl.PROTOCOL_VERSION pinctrl.PROTOCOL_ATTRIBUTES pinctrl.PROTOCOL_MESSAGE_ATTRIBUTES PINCTRL_ATTRIBUTES PINCTRL_LIST_ASSOCIATIONS PINCTRL_SETTINGS_GET PINCTRL_SETTINGS_CONFIGURE PINCTRL_REQUEST PINCTRL_RELEASE PINCTRL_NAME_GET PINCTRL_SET_PERMISSIONS pinctrl.NEGOTIATE_PROTOCOL_VERSION telemetry.PROTOCOL_VERSION telemetry.PROTOCOL_ATTRIBUTES telemetry.PROTOCOL_MESSAGE_ATTRIBUTES TELEMETRY_LIST_SHMTI TELEMETRY_DE_DESCRIPTION TELEMETRY_LIST_UPDATE_INTERVALS TELEMETRY_DE_CONFIGURE TELEMETRY_DE_ENABLED_LIST TELEMETRY_CONFIG_SET TELEMETRY_CONFIG_GET TELEMETRY_RESET telemetry.NEGOTIATE_PROTOCOL_VERSION nxp-lmm.PROTOCOL_VERSION nxp-lmm.PROTOCOL_ATTRIBUTES nxp-lmm.PROTOCOL_MESSAGE_ATTRIBUTES LMM_ATTRIBUTES LMM_BOOT LMM_RESET LMM_SHUTDOWN LMM_WAKE LMM_SUSPEND LMM_NOTIFY LMM_RESET_REASON LMM_POWER_ON LMM_RESET_VECTOR_SET nxp-lmm.NEGOTIATE_PROTOCOL_VERSION nxp-bbm.PROTOCOL_VERSION nxp-bbm.PROTOCOL_ATTRIBUTES nxp-bbm.PROTOCOL_MESSAGE_ATTRIBUTES BBM_GPR_SET BBM_GPR_GET BBM_RTC_ATTRIBUTES BBM_RTC_TIME_SET BBM_RTC_TIME_GET BBM_RTC_ALARM_SET BBM_BUTTON_GET BBM_RTC_NOTIFY BBM_BUTTON_NOTIFY BBM_RTC_STATE nxp-bbm.NEGOTIATE_PROTOCOL_VERSION nxp-cpu.PROTOCOL_VERSION nxp-cpu.PROTOCOL_ATTRIBUTES nxp-cpu.PROTOCOL_MESSAGE_ATTRIBUTES CPU_ATTRIBUTES CPU_START CPU_STOP CPU_RESET_VECTOR_SET CPU_SLEEP_MODE_SET CPU_IRQ_WAKE_SET CPU_NON_IRQ_WAKE_SET CPU_PD_LPM_CONFIG_SET CPU_PER_LPM_CONFIG_SET CPU_INFO_GET nxp-cpu.NEGOTIATE_PROTOCOL_VERSION nxp-fusa.PROTOCOL_VERSION nxp-fusa.PROTOCOL_ATTRIBUTES nxp-fusa.PROTOCOL_MESSAGE_ATTRIBUTES FUSA_FEENV_STATE_GET FUSA_FEENV_STATE_NOTIFY FUSA_SEENV_STATE_GET FUSA_SEENV_STATE_SET FUSA_FAULT_GET FUSA_FAULT_SET FUSA_FAULT_GROUP_NOTIFY FUSA_SCHECK_EVNTRIG FUSA_SCHECK_TEST_EXEC nxp-fusa.NEGOTIATE_PROTOCOL_VERSION nxp-misc.PROTOCOL_VERSION nxp-misc.PROTOCOL_ATTRIBUTES nxp-misc.PROTOCOL_MESSAGE_ATTRIBUTES MISC_CONTROL_SET MISC_CONTROL_GET MISC_CONTROL_ACTION MISC_DISCOVER_BUILD_INFO MISC_ROM_PASSOVER_GET MISC_CONTROL_NOTIFY MISC_REASON_ATTRIBUTES MISC_RESET_REASON MISC_SI_INFO MISC_CFG_INFO MISC_SYSLOG MISC_BOARD_INFO nxp-misc.NEGOTIATE_PROTOCOL_VERSION MISC_CONTROL_EXT_SET MISC_CONTROL_EXT_GET MISC_DDR_INFO_GET' options='--as --token --status' ;;
        "explain "*) words='base.PROTOCOL_VERSION base.PROTOCOL_ATTRIBUTES base.PROTOCOL_MESSAGE_ATTRIBUTES BASE_DISCOVER_VENDOR BASE_DISCOVER_SUB_VENDOR BASE_DISCOVER_IMPLEMENTATION_VERSION BASE_DISCOVER_LIST_PROTOCOLS BASE_DISCOVER_AGENT BASE_NOTIFY_ERRORS BASE_SET_DEVICE_PERMISSIONS BASE_SET_PROTOCOL_PERMISSIONS BASE_RESET_AGENT_CONFIGURATION base.NEGOTIATE_PROTOCOL_VERSION BASE_ERROR_EVENT power.PROTOCOL_VERSION power.PROTOCOL_ATTRIBUTES power.PROTOCOL_MESSAGE_ATTRIBUTES POWER_DOMAIN_ATTRIBUTES POWER_STATE_SET POWER_STATE_GET POWER_STATE_NOTIFY POWER_STATE_CHANGE_REQUESTED_NOTIFY POWER_DOMAIN_NAME_GET power.NEGOTIATE_PROTOCOL_VERSION POWER_STATE_CHANGED POWER_STATE_CHANGE_REQUESTED system.PROTOCOL_VERSION system.PROTOCOL_ATTRIBUTES system.PROTOCOL_MESSAGE_ATTRIBUTES SYSTEM_POWER_STATE_SET SYSTEM_POWER_STATE_GET SYSTEM_POWER_STATE_NOTIFY system.NEGOTIATE_PROTOCOL_VERSION SYSTEM_POWER_STATE_NOTIFIER perf.PROTOCOL_VERSION perf.PROTOCOL_ATTRIBUTES perf.PROTOCOL_MESSAGE_ATTRIBUTES PERFORMANCE_DOMAIN_ATTRIBUTES PERFORMANCE_DESCRIBE_LEVELS PERFORMANCE_LIMITS_SET PERFORMANCE_LIMITS_GET PERFORMANCE_LEVEL_SET PERFORMANCE_LEVEL_GET PERFORMANCE_NOTIFY_LIMITS PERFORMANCE_NOTIFY_LEVEL PERFORMANCE_DESCRIBE_FASTCHANNEL PERFORMANCE_DOMAIN_NAME_GET perf.NEGOTIATE_PROTOCOL_VERSION PERFORMANCE_LIMITS_CHANGED PERFORMANCE_LEVEL_CHANGED clock.PROTOCOL_VERSION clock.PROTOCOL_ATTRIBUTES clock.PROTOCOL_MESSAGE_ATTRIBUTES CLOCK_ATTRIBUTES CLOCK_DESCRIBE_RATES CLOCK_RATE_SET CLOCK_RATE_SET_COMPLETE CLOCK_RATE_GET CLOCK_CONFIG_SET CLOCK_NAME_GET CLOCK_RATE_NOTIFY CLOCK_RATE_CHANGE_REQUESTED_NOTIFY CLOCK_CONFIG_GET CLOCK_POSSIBLE_PARENTS_GET CLOCK_PARENT_SET CLOCK_PARENT_GET CLOCK_GET_PERMISSIONS clock.NEGOTIATE_PROTOCOL_VERSION CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED sensor.PROTOCOL_VERSION sensor.PROTOCOL_ATTRIBUTES sensor.PROTOCOL_MESSAGE_ATTRIBUTES SENSOR_DESCRIPTION_GET SENSOR_TRIP_POINT_NOTIFY SENSOR_TRIP_POINT_CONFIG SENSOR_READING_GET SENSOR_READING_COMPLETE SENSOR_AXIS_DESCRIPTION_GET SENSOR_LIST_UPDATE_INTERVALS SENSOR_CONFIG_GET SENSOR_CONFIG_SET SENSOR_CONTINUOUS_UPDATE_NOTIFY SENSOR_NAME_GET SENSOR_AXIS_NAME_GET sensor.NEGOTIATE_PROTOCOL_VERSION SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE reset.PROTOCOL_VERSION reset.PROTOCOL_ATTRIBUTES reset.PROTOCOL_MESSAGE_ATTRIBUTES RESET_DOMAIN_ATTRIBUTES RESET RESET_COMPLETE RESET_NOTIFY RESET_DOMAIN_NAME_GET reset.NEGOTIATE_PROTOCOL_VERSION RESET_ISSUED voltage.PROTOCOL_VERSION voltage.PROTOCOL_ATTRIBUTES voltage.PROTOCOL_MESSAGE_ATTRIBUTES VOLTAGE_DOMAIN_ATTRIBUTES VOLTAGE_DESCRIBE_LEVELS VOLTAGE_CONFIG_SET VOLTAGE_CONFIG_GET VOLTAGE_LEVEL_SET VOLTAGE_LEVEL_SET_COMPLETE VOLTAGE_LEVEL_GET VOLTAGE_DOMAIN_NAME_GET voltage.NEGOTIATE_PROTOCOL_VERSION powercap.PROTOCOL_VERSION powercap.PROTOCOL_ATTRIBUTES powercap.PROTOCOL_MESSAGE_ATTRIBUTES POWERCAP_DOMAIN_ATTRIBUTES POWERCAP_CAP_GET POWERCAP_CAP_SET POWERCAP_CAP_SET_COMPLETE POWERCAP_PAI_GET POWERCAP_PAI_SET POWERCAP_DOMAIN_NAME_GET POWERCAP_MEASUREMENTS_GET POWERCAP_CAP_NOTIFY POWERCAP_MEASUREMENTS_NOTIFY POWERCAP_DESCRIBE_FASTCHANNEL POWERCAP_CPC_ATTRIBUTES POWERCAP_CAI_GET POWERCAP_CAI_SET powercap.NEGOTIATE_PROTOCOL_VERSION POWERCAP_CAP_CHANGED POWERCAP_MEASUREMENTS_CHANGED pinctrl.PROTOCOL_VERSION pinctrl.PROTOCOL_ATTRIBUTES pinctrl.PROTOCOL_MESSAGE_ATTRIBUTES PINCTRL_ATTRIBUTES PINCTRL_LIST_ASSOCIATIONS PINCTRL_SETTINGS_GET PINCTRL_SETTINGS_CONFIGURE PINCTRL_REQUEST PINCTRL_RELEASE PINCTRL_NAME_GET PINCTRL_SET_PERMISSIONS pinctrl.NEGOTIATE_PROTOCOL_VERSION telemetry.PROTOCOL_VERSION telemetry.PROTOCOL_ATTRIBUTES telemetry.PROTOCOL_MESSAGE_ATTRIBUTES TELEMETRY_LIST_SHMTI TELEMETRY_DE_DESCRIPTION TELEMETRY_LIST_UPDATE_INTERVALS TELEMETRY_DE_CONFIGURE TELEMETRY_DE_ENABLED_LIST TELEMETRY_CONFIG_SET TELEMETRY_READING_COMPLETE TELEMETRY_CONFIG_GET TELEMETRY_RESET telemetry.NEGOTIATE_PROTOCOL_VERSION TELEMETRY_UPDATE nxp-lmm.PROTOCOL_VERSION nxp-lmm.PROTOCOL_ATTRIBUTES nxp-lmm.PROTOCOL_MESSAGE_ATTRIBUTES LMM_ATTRIBUTES LMM_BOOT LMM_RESET LMM_SHUTDOWN LMM_WAKE LMM_SUSPEND LMM_NOTIFY LMM_RESET_REASON LMM_POWER_ON LMM_RESET_VECTOR_SET nxp-lmm.NEGOTIATE_PROTOCOL_VERSION LMM_EVENT nxp-bbm.PROTOCOL_VERSION nxp-bbm.PROTOCOL_ATTRIBUTES nxp-bbm.PROTOCOL_MESSAGE_ATTRIBUTES BBM_GPR_SET BBM_GPR_GET BBM_RTC_ATTRIBUTES BBM_RTC_TIME_SET BBM_RTC_TIME_GET BBM_RTC_ALARM_SET BBM_BUTTON_GET BBM_RTC_NOTIFY BBM_BUTTON_NOTIFY BBM_RTC_STATE nxp-bbm.NEGOTIATE_PROTOCOL_VERSION BBM_RTC_EVENT BBM_BUTTON_EVENT nxp-cpu.PROTOCOL_VERSION nxp-cpu.PROTOCOL_ATTRIBUTES nxp-cpu.PROTOCOL_MESSAGE_ATTRIBUTES CPU_ATTRIBUTES CPU_START CPU_STOP CPU_RESET_VECTOR_SET CPU_SLEEP_MODE_SET CPU_IRQ_WAKE_SET CPU_NON_IRQ_WAKE_SET CPU_PD_LPM_CONFIG_SET CPU_PER_LPM_CONFIG_SET CPU_INFO_GET nxp-cpu.NEGOTIATE_PROTOCOL_VERSION nxp-fusa.PROTOCOL_VERSION nxp-fusa.PROTOCOL_ATTRIBUTES nxp-fusa.PROTOCOL_MESSAGE_ATTRIBUTES FUSA_FEENV_STATE_GET FUSA_FEENV_STATE_NOTIFY FUSA_SEENV_STATE_GET FUSA_SEENV_STATE_SET FUSA_FAULT_GET FUSA_FAULT_SET FUSA_FAULT_GROUP_NOTIFY FUSA_SCHECK_EVNTRIG FUSA_SCHECK_TEST_EXEC nxp-fusa.NEGOTIATE_PROTOCOL_VERSION FUSA_FEENV_STATE_EVENT FUSA_SEENV_STATE_REQ_EVENT FUSA_FAULT_EVENT nxp-misc.PROTOCOL_VERSION nxp-misc.PROTOCOL_ATTRIBUTES nxp-misc.PROTOCOL_MESSAGE_ATTRIBUTES MISC_CONTROL_SET MISC_CONTROL_GET MISC_CONTROL_ACTION MISC_DISCOVER_BUILD_INFO MISC_ROM_PASSOVER_GET MISC_CONTROL_NOTIFY MISC_REASON_ATTRIBUTES MISC_RESET_REASON MISC_SI_INFO MISC_CFG_INFO MISC_SYSLOG MISC_BOARD_INFO nxp-misc.NEGOTIATE_PROTOCOL_VERSION MISC_CONTROL_EXT_SET MISC_CONTROL_EXT_GET MISC_DDR_INFO_GET MISC_CONTROL_EVENT' options='' ;;
        "serve "*) words='' options='--socket --mode --fault --seed' ;;
        "board "*) words='ls show check' options='' ;;
        "batch "*) words='' options='--keep-going --line-by-line --var' ;;
        "shell "*) words='' options='' ;;
        "completion "*) words='bash zsh fish' options='' ;;
        " ") words='base power system perf clock sensor reset voltage powercap pinctrl info watch subscribe unsubscribe call raw decode encode explain serve board batch shell completion' options='--target --output --json --fields --sort --where --no-headers --units --color --timeout --delayed-timeout --deadline --retry-busy --readonly --no-readonly --yes --dry-run --proto --vendor --trace --stats --verbose --quiet --config --command' ;;
    esac
    case "$option:$path " in
        "--timestamps:sensor config set "*) words='on off' ;;
        "--timestamps:base watch "*) words='abs delta zero' ;;
        "--timestamps:power watch "*) words='abs delta zero' ;;
        "--timestamps:system watch "*) words='abs delta zero' ;;
        "--timestamps:perf watch "*) words='abs delta zero' ;;
        "--round:clock set "*) words='up down auto' ;;
        "--timestamps:clock watch "*) words='abs delta zero' ;;
        "--timestamps:sensor watch "*) words='abs delta zero' ;;
        "--timestamps:reset watch "*) words='abs delta zero' ;;
        "--timestamps:powercap watch "*) words='abs delta zero' ;;
        "--timestamps:watch "*) words='abs delta zero' ;;
        "--as:decode "*) words='request response' ;;
        "--as:encode "*) words='request response delayed notification' ;;
        --output:*) words='table plain json jsonl csv hex' ;;
        -o:*) words='table plain json jsonl csv hex' ;;
        --units:*) words='si raw hex' ;;
        --color:*) words='auto always never' ;;
        [!:]*) words= ;;
        :*) [[ $cur == -* ]] && words="$options --target --output --json --fields --sort --where --no-headers --units --color --timeout --delayed-timeout --deadline --retry-busy --readonly --no-readonly --yes --dry-run --proto --vendor --trace --stats --verbose --quiet --config --command" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _scmictl scmictl
