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
        "watch "*) words='BASE_ERROR_EVENT CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE' options='--count --for --idle --until --interval --timestamps' ;;
        "subscribe "*) words='BASE_ERROR_EVENT CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE' options='' ;;
        "unsubscribe "*) words='BASE_ERROR_EVENT CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE' options='' ;;
        "call "*) words='base.PROTOCOL_VERSION base.PROTOCOL_ATTRIBUTES base.PROTOCOL_MESSAGE_ATTRIBUTES BASE_DISCOVER_VENDOR BASE_DISCOVER_SUB_VENDOR BASE_DISCOVER_IMPLEMENTATION_VERSION BASE_DISCOVER_LIST_PROTOCOLS BASE_DISCOVER_AGENT BASE_NOTIFY_ERRORS BASE_SET_DEVICE_PERMISSIONS BASE_SET_PROTOCOL_PERMISSIONS BASE_RESET_AGENT_CONFIGURATION base.NEGOTIATE_PROTOCOL_VERSION clock.PROTOCOL_VERSION clock.PROTOCOL_ATTRIBUTES clock.PROTOCOL_MESSAGE_ATTRIBUTES CLOCK_ATTRIBUTES CLOCK_DESCRIBE_RATES CLOCK_RATE_SET CLOCK_RATE_GET CLOCK_CONFIG_SET CLOCK_NAME_GET CLOCK_RATE_NOTIFY CLOCK_RATE_CHANGE_REQUESTED_NOTIFY CLOCK_CONFIG_GET CLOCK_POSSIBLE_PARENTS_GET CLOCK_PARENT_SET CLOCK_PARENT_GET CLOCK_GET_PERMISSIONS clock.NEGOTIATE_PROTOCOL_VERSION sensor.PROTOCOL_VERSION sensor.PROTOCOL_ATTRIBUTES sensor.PROTOCOL_MESSAGE_ATTRIBUTES SENSOR_DESCRIPTION_GET SENSOR_TRIP_POINT_NOTIFY SENSOR_TRIP_POINT_CONFIG SENSOR_READING_GET SENSOR_AXIS_DESCRIPTION_GET SENSOR_LIST_UPDATE_INTERVALS SENSOR_CONFIG_GET SENSOR_CONFIG_SET SENSOR_CONTINUOUS_UPDATE_NOTIFY SENSOR_NAME_GET SENSOR_AXIS_NAME_GET sensor.NEGOTIATE_PROTOCOL_VERSION' options='' ;;
        "raw "*) words='' options='--payload --type' ;;
        "explain "*) words='base.PROTOCOL_VERSION base.PROTOCOL_ATTRIBUTES base.PROTOCOL_MESSAGE_ATTRIBUTES BASE_DISCOVER_VENDOR BASE_DISCOVER_SUB_VENDOR BASE_DISCOVER_IMPLEMENTATION_VERSION BASE_DISCOVER_LIST_PROTOCOLS BASE_DISCOVER_AGENT BASE_NOTIFY_ERRORS BASE_SET_DEVICE_PERMISSIONS BASE_SET_PROTOCOL_PERMISSIONS BASE_RESET_AGENT_CONFIGURATION base.NEGOTIATE_PROTOCOL_VERSION BASE_ERROR_EVENT clock.PROTOCOL_VERSION clock.PROTOCOL_ATTRIBUTES clock.PROTOCOL_MESSAGE_ATTRIBUTES CLOCK_ATTRIBUTES CLOCK_DESCRIBE_RATES CLOCK_RATE_SET CLOCK_RATE_SET_COMPLETE CLOCK_RATE_GET CLOCK_CONFIG_SET CLOCK_NAME_GET CLOCK_RATE_NOTIFY CLOCK_RATE_CHANGE_REQUESTED_NOTIFY CLOCK_CONFIG_GET CLOCK_POSSIBLE_PARENTS_GET CLOCK_PARENT_SET CLOCK_PARENT_GET CLOCK_GET_PERMISSIONS clock.NEGOTIATE_PROTOCOL_VERSION CLOCK_RATE_CHANGED CLOCK_RATE_CHANGE_REQUESTED sensor.PROTOCOL_VERSION sensor.PROTOCOL_ATTRIBUTES sensor.PROTOCOL_MESSAGE_ATTRIBUTES SENSOR_DESCRIPTION_GET SENSOR_TRIP_POINT_NOTIFY SENSOR_TRIP_POINT_CONFIG SENSOR_READING_GET SENSOR_READING_COMPLETE SENSOR_AXIS_DESCRIPTION_GET SENSOR_LIST_UPDATE_INTERVALS SENSOR_CONFIG_GET SENSOR_CONFIG_SET SENSOR_CONTINUOUS_UPDATE_NOTIFY SENSOR_NAME_GET SENSOR_AXIS_NAME_GET sensor.NEGOTIATE_PROTOCOL_VERSION SENSOR_TRIP_POINT_EVENT SENSOR_UPDATE' options='' ;;
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
