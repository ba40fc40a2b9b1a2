# bash completion for scmictl, written by `scmictl completion bash`
_scmictl() {
    local cur=${COMP_WORDS[COMP_CWORD]} path= option= words= options= word i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -n $option ]]; then option=; continue; fi
        case $word in
            --target|-t|--output|-o|--fields|--sort|--where|--units|--color|--timeout|-T|--delayed-timeout|--deadline|--retry-busy|--proto|--config|--command|-c|--count|-n|--for|--idle|--until|--timestamps|--round|--interval|--plot|--payload|--type|--socket|--mode|--var) option=$word ;;
            -*) ;;
            *) path+="${path:+ }$word" ;;
        esac
    done
    case "$path " in
        "base perms device "*) words='allow deny' options='' ;;
        "base perms protocol "*) words='allow deny' options='' ;;
        "clock parent get "*) words='' options='' ;;
        "clock parent set "*) words='' options='' ;;
        "clock config get "*) words='' options='' ;;
        "clock config set "*) words='' options='' ;;
        "sensor config get "*) words='' options='' ;;
        "sensor config set "*) words='enable disable' options='--interval --timestamps' ;;
        "sensor trip set "*) words='' options='--rising --falling --both' ;;
        "sensor trip clear "*) words='' options='' ;;
        "base perms "*) words='device protocol' options='' ;;
        "base info "*) words='' options='' ;;
        "base agents "*) words='' options='' ;;
        "base protocols "*) words='' options='' ;;
        "base reset-agent "*) words='' options='--permissions' ;;
        "base watch "*) words='' options='--count --for --idle --until --timestamps' ;;
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
        "board ls "*) words='' options='' ;;
        "board show "*) words='' options='' ;;
        "board check "*) words='' options='' ;;
        "base "*) words='info agents protocols perms reset-agent watch' options='' ;;
        "clock "*) words='list show info get set enable disable rates parents parent config perms tree watch' options='' ;;
        "sensor "*) words='list show info read axes intervals config trip watch' options='' ;;
        "info "*) words='' options='' ;;
        "watch "*) words='BASE_ERROR_EVENT POWER_STATE_CHANGED POWER_STATE_CHANGE_REQUESTED SYSTEM_POWER_STATE_NOTIFIER PERFORMANCE_LIMITS_CHANGED PERFORMANCE_LEVEL_CHANGED CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE RESET_ISSUED POWERCAP_CAP_CHANGED POWERCAP_MEASUREMENTS_CHANGED' options='--count --for --idle --until --interval --timestamps' ;;
        "subscribe "*) words='BASE_ERROR_EVENT POWER_STATE_CHANGED POWER_STATE_CHANGE_REQUESTED SYSTEM_POWER_STATE_NOTIFIER PERFORMANCE_LIMITS_CHANGED PERFORMANCE_LEVEL_CHANGED CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE RESET_ISSUED POWERCAP_CAP_CHANGED POWERCAP_MEASUREMENTS_CHANGED' options='' ;;
        "unsubscribe "*) words='BASE_ERROR_EVENT POWER_STATE_CHANGED POWER_STATE_CHANGE_REQUESTED SYSTEM_POWER_STATE_NOTIFIER PERFORMANCE_LIMITS_CHANGED PERFORMANCE_LEVEL_CHANGED CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE RESET_ISSUED POWERCAP_CAP_CHANGED POWERCAP_MEASUREMENTS_CHANGED' options='' ;;
        "call "*) words='base.PROTOCOL_VERSION base.PROTOCOL_ATTRIBUTES base.PROTOCOL_MESSAGE_ATTRIBUTES BASE_DISCOVER_VENDOR BASE_DISCOVER_SUB_VENDOR BASE_DISCOVER_IMPLEMENTATION_VERSION BASE_DISCOVER_LIST_PROTOCOLS BASE_DISCOVER_AGENT BASE_NOTIFY_ERRORS BASE_SET_DEVICE_PERMISSIONS BASE_SET_PROTOCOL_PERMISSIONS BASE_RESET_AGENT_CONFIGURATION base.NEGOTIATE_PROTOCOL_VERSION power.PROTOCOL_VERSION power.PROTOCOL_ATTRIBUTES power.PROTOCOL_MESSAGE_ATTRIBUTES POWER_DOMAIN_ATTRIBUTES POWER_STATE_SET POWER_STATE_GET POWER_STATE_NOTIFY POWER_STATE_CHANGE_REQUESTED_NOTIFY POWER_DOMAIN_NAME_GET power.NEGOTIATE_PROTOCOL_VERSION system.PROTOCOL_VERSION system.PROTOCOL_ATTRIBUTES system.PROTOCOL_MESSAGE_ATTRIBUTES SYSTEM_POWER_STATE_SET SYSTEM_POWER_STATE_GET SYSTEM_POWER_STATE_NOTIFY system.NEGOTIATE_PROTOCOL_VERSION perf.PROTOCOL_VERSION perf.PROTOCOL_ATTRIBUTES perf.PROTOCOL_MESSAGE_ATTRIBUTES PERFORMANCE_DOMAIN_ATTRIBUTES PERFORMANCE_DESCRIBE_LEVELS PERFORMANCE_LIMITS_SET PERFORMANCE_LIMITS_GET PERFORMANCE_LEVEL_SET PERFORMANCE_LEVEL_GET PERFORMANCE_NOTIFY_LIMITS PERFORMANCE_NOTIFY_LEVEL PERFORMANCE_DESCRIBE_FASTCHANNEL PERFORMANCE_DOMAIN_NAME_GET perf.NEGOTIATE_PROTOCOL_VERSION clock.PROTOCOL_VERSION clock.PROTOCOL_ATTRIBUTES clock.PROTOCOL_MESSAGE_ATTRIBUTES CLOCK_ATTRIBUTES CLOCK_DESCRIBE_RATES CLOCK_RATE_SET CLOCK_RATE_GET CLOCK_CONFIG_SET CLOCK_NAME_GET CLOCK_RATE_NOTIFY CLOCK_RATE_CHANGE_REQUESTED_NOTIFY CLOCK_CONFIG_GET CLOCK_POSSIBLE_PARENTS_GET CLOCK_PARENT_SET CLOCK_PARENT_GET CLOCK_GET_PERMISSIONS clock.NEGOTIATE_PROTOCOL_VERSION sensor.PROTOCOL_VERSION sensor.PROTOCOL_ATTRIBUTES sensor.PROTOCOL_MESSAGE_ATTRIBUTES SENSOR_DESCRIPTION_GET SENSOR_TRIP_POINT_NOTIFY SENSOR_TRIP_POINT_CONFIG SENSOR_READING_GET SENSOR_AXIS_DESCRIPTION_GET SENSOR_LIST_UPDATE_INTERVALS SENSOR_CONFIG_GET SENSOR_CONFIG_SET SENSOR_CONTINUOUS_UPDATE_NOTIFY SENSOR_NAME_GET SENSOR_AXIS_NAME_GET sensor.NEGOTIATE_PROTOCOL_VERSION reset.PROTOCOL_VERSION reset.PROTOCOL_ATTRIBUTES reset.PROTOCOL_MESSAGE_ATTRIBUTES RESET_DOMAIN_ATTRIBUTES RESET RESET_NOTIFY RESET_DOMAIN_NAME_GET reset.NEGOTIATE_PROTOCOL_VERSION voltage.PROTOCOL_VERSION voltage.PROTOCOL_ATTRIBUTES voltage.PROTOCOL_MESSAGE_ATTRIBUTES VOLTAGE_DOMAIN_ATTRIBUTES VOLTAGE_DESCRIBE_LEVELS VOLTAGE_CONFIG_SET VOLTAGE_CONFIG_GET VOLTAGE_LEVEL_SET VOLTAGE_LEVEL_GET VOLTAGE_DOMAIN_NAME_GET voltage.NEGOTIATE_PROTOCOL_VERSION powercap.PROTOCOL_VERSION powercap.PROTOCOL_ATTRIBUTES powercap.PROTOCOL_MESSAGE_ATTRIBUTES POWERCAP_DOMAIN_ATTRIBUTES POWERCAP_CAP_GET POWERCAP_CAP_SET POWERCAP_PAI_GET POWERCAP_PAI_SET POWERCAP_DOMAIN_NAME_GET POWERCAP_MEASUREMENTS_GET POWERCAP_CAP_NOTIFY POWERCAP_MEASUREMENTS_NOTIFY POWERCAP_DESCRIBE_FASTCHANNEL POWERCAP_CPC_ATTRIBUTES POWERCAP_CAI_GET POWERCAP_CAI_SET powercap.NEGOTIATE_PROTOCOL_VERSION pinctrl.PROTOCOL_VERSION pinctrl.PROTOCOL_ATTRIBUTES pinctrl.PROTOCOL_MESSAGE_ATTRIBUTES PINCTRL_ATTRIBUTES PINCTRL_LIST_ASSOCIATIONS PINCTRL_SETTINGS_GET PINCTRL_SETTINGS_CONFIGURE PINCTRL_REQUEST PINCTRL_RELEASE PINCTRL_NAME_GET PINCTRL_SET_PERMISSIONS pinctrl.NEGOTIATE_PROTOCOL_VERSION telemetry.PROTOCOL_VERSION telemetry.PROTOCOL_ATTRIBUTES telemetry.PROTOCOL_MESSAGE_ATTRIBUTES TELEMETRY_LIST_SHMTI TELEMETRY_DE_DESCRIPTION TELEMETRY_LIST_UPDATE_INTERVALS TELEMETRY_DE_CONFIGURE TELEMETRY_DE_ENABLED_LIST TELEMETRY_CONFIG_SET TELEMETRY_CONFIG_GET TELEMETRY_RESET telemetry.NEGOTIATE_PROTOCOL_VERSION' options='' ;;
        "raw "*) words='' options='--payload --type' ;;
        "explain "*) words='base.PROTOCOL_VERSION base.PROTOCOL_ATTRIBUTES base.PROTOCOL_MESSAGE_ATTRIBUTES BASE_DISCOVER_VENDOR BASE_DISCOVER_SUB_VENDOR BASE_DISCOVER_IMPLEMENTATION_VERSION BASE_DISCOVER_LIST_PROTOCOLS BASE_DISCOVER_AGENT BASE_NOTIFY_ERRORS BASE_SET_DEVICE_PERMISSIONS BASE_SET_PROTOCOL_PERMISSIONS BASE_RESET_AGENT_CONFIGURATION base.NEGOTIATE_PROTOCOL_VERSION BASE_ERROR_EVENT power.PROTOCOL_VERSION power.PROTOCOL_ATTRIBUTES power.PROTOCOL_MESSAGE_ATTRIBUTES POWER_DOMAIN_ATTRIBUTES POWER_STATE_SET POWER_STATE_GET POWER_STATE_NOTIFY POWER_STATE_CHANGE_REQUESTED_NOTIFY POWER_DOMAIN_NAME_GET power.NEGOTIATE_PROTOCOL_VERSION POWER_STATE_CHANGED POWER_STATE_CHANGE_REQUESTED system.PROTOCOL_VERSION system.PROTOCOL_ATTRIBUTES system.PROTOCOL_MESSAGE_ATTRIBUTES SYSTEM_POWER_STATE_SET SYSTEM_POWER_STATE_GET SYSTEM_POWER_STATE_NOTIFY system.NEGOTIATE_PROTOCOL_VERSION SYSTEM_POWER_STATE_NOTIFIER perf.PROTOCOL_VERSION perf.PROTOCOL_ATTRIBUTES perf.PROTOCOL_MESSAGE_ATTRIBUTES PERFORMANCE_DOMAIN_ATTRIBUTES PERFORMANCE_DESCRIBE_LEVELS PERFORMANCE_LIMITS_SET PERFORMANCE_LIMITS_GET PERFORMANCE_LEVEL_SET PERFORMANCE_LEVEL_GET PERFORMANCE_NOTIFY_LIMITS PERFORMANCE_NOTIFY_LEVEL PERFORMANCE_DESCRIBE_FASTCHANNEL PERFORMANCE_DOMAIN_NAME_GET perf.NEGOTIATE_PROTOCOL_VERSION PERFORMANCE_LIMITS_CHANGED PERFORMANCE_LEVEL_CHANGED clock.PROTOCOL_VERSION clock.PROTOCOL_ATTRIBUTES clock.PROTOCOL_MESSAGE_ATTRIBUTES CLOCK_ATTRIBUTES CLOCK_DESCRIBE_RATES CLOCK_RATE_SET CLOCK_RATE_SET_COMPLETE CLOCK_RATE_GET CLOCK_CONFIG_SET CLOCK_NAME_GET CLOCK_RATE_NOTIFY CLOCK_RATE_CHANGE_REQUESTED_NOTIFY CLOCK_CONFIG_GET CLOCK_POSSIBLE_PARENTS_GET CLOCK_PARENT_SET CLOCK_PARENT_GET CLOCK_GET_PERMISSIONS clock.NEGOTIATE_PROTOCOL_VERSION CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED sensor.PROTOCOL_VERSION sensor.PROTOCOL_ATTRIBUTES sensor.PROTOCOL_MESSAGE_ATTRIBUTES SENSOR_DESCRIPTION_GET SENSOR_TRIP_POINT_NOTIFY SENSOR_TRIP_POINT_CONFIG SENSOR_READING_GET SENSOR_READING_COMPLETE SENSOR_AXIS_DESCRIPTION_GET SENSOR_LIST_UPDATE_INTERVALS SENSOR_CONFIG_GET SENSOR_CONFIG_SET SENSOR_CONTINUOUS_UPDATE_NOTIFY SENSOR_NAME_GET SENSOR_AXIS_NAME_GET sensor.NEGOTIATE_PROTOCOL_VERSION SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE reset.PROTOCOL_VERSION reset.PROTOCOL_ATTRIBUTES reset.PROTOCOL_MESSAGE_ATTRIBUTES RESET_DOMAIN_ATTRIBUTES RESET RESET_COMPLETE RESET_NOTIFY RESET_DOMAIN_NAME_GET reset.NEGOTIATE_PROTOCOL_VERSION RESET_ISSUED voltage.PROTOCOL_VERSION voltage.PROTOCOL_ATTRIBUTES voltage.PROTOCOL_MESSAGE_ATTRIBUTES VOLTAGE_DOMAIN_ATTRIBUTES VOLTAGE_DESCRIBE_LEVELS VOLTAGE_CONFIG_SET VOLTAGE_CONFIG_GET VOLTAGE_LEVEL_SET VOLTAGE_LEVEL_SET_COMPLETE VOLTAGE_LEVEL_GET VOLTAGE_DOMAIN_NAME_GET voltage.NEGOTIATE_PROTOCOL_VERSION powercap.PROTOCOL_VERSION powercap.PROTOCOL_ATTRIBUTES powercap.PROTOCOL_MESSAGE_ATTRIBUTES POWERCAP_DOMAIN_ATTRIBUTES POWERCAP_CAP_GET POWERCAP_CAP_SET POWERCAP_CAP_SET_COMPLETE POWERCAP_PAI_GET POWERCAP_PAI_SET POWERCAP_DOMAIN_NAME_GET POWERCAP_MEASUREMENTS_GET POWERCAP_CAP_NOTIFY POWERCAP_MEASUREMENTS_NOTIFY POWERCAP_DESCRIBE_FASTCHANNEL POWERCAP_CPC_ATTRIBUTES POWERCAP_CAI_GET POWERCAP_CAI_SET powercap.NEGOTIATE_PROTOCOL_VERSION POWERCAP_CAP_CHANGED POWERCAP_MEASUREMENTS_CHANGED pinctrl.PROTOCOL_VERSION pinctrl.PROTOCOL_ATTRIBUTES pinctrl.PROTOCOL_MESSAGE_ATTRIBUTES PINCTRL_ATTRIBUTES PINCTRL_LIST_ASSOCIATIONS PINCTRL_SETTINGS_GET PINCTRL_SETTINGS_CONFIGURE PINCTRL_REQUEST PINCTRL_RELEASE PINCTRL_NAME_GET PINCTRL_SET_PERMISSIONS pinctrl.NEGOTIATE_PROTOCOL_VERSION telemetry.PROTOCOL_VERSION telemetry.PROTOCOL_ATTRIBUTES telemetry.PROTOCOL_MESSAGE_ATTRIBUTES TELEMETRY_LIST_SHMTI TELEMETRY_DE_DESCRIPTION TELEMETRY_LIST_UPDATE_INTERVALS TELEMETRY_DE_CONFIGURE TELEMETRY_DE_ENABLED_LIST TELEMETRY_CONFIG_SET TELEMETRY_READING_COMPLETE TELEMETRY_CONFIG_GET TELEMETRY_RESET telemetry.NEGOTIATE_PROTOCOL_VERSION TELEMETRY_UPDATE' options='' ;;
        "serve "*) words='' options='--socket --mode' ;;
        "board "*) words='ls show check' options='' ;;
        "batch "*) words='' options='--keep-going --line-by-line --var' ;;
        "shell "*) words='' options='' ;;
        "completion "*) words='bash zsh fish' options='' ;;
        " ") words='base clock sensor info watch subscribe unsubscribe call raw explain serve board batch shell completion' options='--target --output --json --fields --sort --where --no-headers --units --color --timeout --delayed-timeout --deadline --retry-busy --readonly --no-readonly --yes --dry-run --proto --trace --stats --verbose --quiet --config --command' ;;
    esac
    case "$option:$path " in
        "--timestamps:sensor config set "*) words='on off' ;;
        "--timestamps:base watch "*) words='abs delta zero' ;;
        "--round:clock set "*) words='up down auto' ;;
        "--timestamps:clock watch "*) words='abs delta zero' ;;
        "--timestamps:sensor watch "*) words='abs delta zero' ;;
        "--timestamps:watch "*) words='abs delta zero' ;;
        --output:*) words='table plain json jsonl csv hex' ;;
        -o:*) words='table plain json jsonl csv hex' ;;
        --units:*) words='si raw hex' ;;
        --color:*) words='auto always never' ;;
        [!:]*) words= ;;
        :*) [[ $cur == -* ]] && words="$options --target --output --json --fields --sort --where --no-headers --units --color --timeout --delayed-timeout --deadline --retry-busy --readonly --no-readonly --yes --dry-run --proto --trace --stats --verbose --quiet --config --command" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _scmictl scmictl
