#compdef scmictl
# zsh completion for scmictl, written by `scmictl completion zsh`
_scmictl() {
    local line= option= word
    local -a found options globals
    integer i files=0
    globals=('--target:what to talk to: a URI, a socket, or a name from the config file' '--output:how to print' '--json:the same as -o json' '--fields:print only these keys, in this order' '--sort:sort rows by this key (-KEY: downwards)' '--where:print only rows for which the expression holds' '--no-headers:leave the header line out' '--units:how to print values' '--color:when to use colour' '--timeout:time for a response (default 1s)' '--delayed-timeout:time for a delayed response (default 2s)' '--deadline:time for the whole run' '--retry-busy:try again up to N times while the platform is busy' '--readonly:send nothing that changes the platform' '--no-readonly:allow writes again' '--yes:do not ask before what hurts' '--dry-run:send no write, print its bytes' '--proto:speak this version of a protocol without asking (clock=3.0)' '--trace:print each message, decoded, on stderr' '--stats:print counts and latencies at the end, on stderr' '--verbose:say more' '--quiet:say less' '--config:the configuration file' '--command:run these commands (separated by '\'';'\''), then exit')
    for ((i = 2; i < CURRENT; i++)); do
        word=${words[i]}
        if [[ -n $option ]]; then option=; continue; fi
        case $word in
            (--target|-t|--output|-o|--fields|--sort|--where|--units|--color|--timeout|-T|--delayed-timeout|--deadline|--retry-busy|--proto|--config|--command|-c|--count|-n|--for|--idle|--until|--timestamps|--round|--interval|--plot|--payload|--type|--socket|--mode|--var) option=$word ;;
            (-*) ;;
            (*) line+="${line:+ }$word" ;;
        esac
    done
    case "$line " in
        ('base perms device '*) found=('allow' 'deny'); options=(); files=0 ;;
        ('base perms protocol '*) found=('allow' 'deny'); options=(); files=0 ;;
        ('clock parent get '*) found=(); options=(); files=0 ;;
        ('clock parent set '*) found=(); options=(); files=0 ;;
        ('clock config get '*) found=(); options=(); files=0 ;;
        ('clock config set '*) found=(); options=(); files=0 ;;
        ('sensor config get '*) found=(); options=(); files=0 ;;
        ('sensor config set '*) found=('enable' 'disable'); options=('--interval:update interval; the platform rounds it' '--timestamps:whether readings carry timestamps'); files=0 ;;
        ('sensor trip set '*) found=(); options=('--rising:only crossings upwards count' '--falling:only crossings downwards count' '--both:both count (the default)'); files=0 ;;
        ('sensor trip clear '*) found=(); options=(); files=0 ;;
        ('base perms '*) found=('device:allow or deny an agent all of a device' 'protocol:allow or deny an agent one protocol of a device'); options=(); files=0 ;;
        ('base info '*) found=(); options=(); files=0 ;;
        ('base agents '*) found=(); options=(); files=0 ;;
        ('base protocols '*) found=(); options=(); files=0 ;;
        ('base reset-agent '*) found=(); options=('--permissions:also restore the permissions it had at the start'); files=0 ;;
        ('base watch '*) found=(); options=('--count:end after N notifications (of polling: rounds)' '--for:end after this time' '--idle:end when nothing has come for this time' '--until:end when this holds for a record' '--timestamps:what the time of a record is: wall clock, since the last record, or since the first one'); files=0 ;;
        ('clock parent '*) found=('get:show the parent of a clock' 'set:select the parent of a clock'); options=(); files=0 ;;
        ('clock config '*) found=('get:show gate and extended configuration of a clock' 'set:set gate or extended configuration of a clock'); options=(); files=0 ;;
        ('clock list '*) found=(); options=(); files=0 ;;
        ('clock show '*) found=(); options=(); files=0 ;;
        ('clock info '*) found=(); options=(); files=0 ;;
        ('clock get '*) found=(); options=(); files=0 ;;
        ('clock set '*) found=(); options=('--round:which rate to take if there is none like that (default: down)' '--async:let the platform set it later, and wait for that'); files=0 ;;
        ('clock enable '*) found=(); options=(); files=0 ;;
        ('clock disable '*) found=(); options=(); files=0 ;;
        ('clock rates '*) found=(); options=(); files=0 ;;
        ('clock parents '*) found=(); options=(); files=0 ;;
        ('clock perms '*) found=(); options=(); files=0 ;;
        ('clock tree '*) found=(); options=(); files=0 ;;
        ('clock watch '*) found=(); options=('--requested:what agents ask for, not what the rate becomes' '--count:end after N notifications (of polling: rounds)' '--for:end after this time' '--idle:end when nothing has come for this time' '--until:end when this holds for a record' '--interval:read again and again, in this interval' '--timestamps:what the time of a record is: wall clock, since the last record, or since the first one'); files=0 ;;
        ('sensor config '*) found=('get:show how a sensor is configured' 'set:enable, disable or configure a sensor'); options=(); files=0 ;;
        ('sensor trip '*) found=('set:set a trip point of a sensor' 'clear:switch a trip point of a sensor off'); options=(); files=0 ;;
        ('sensor list '*) found=(); options=(); files=0 ;;
        ('sensor show '*) found=(); options=(); files=0 ;;
        ('sensor info '*) found=(); options=(); files=0 ;;
        ('sensor read '*) found=(); options=('--enable:turn disabled sensors on for the time of the reading' '--async:let the platform answer later, and wait for that'); files=0 ;;
        ('sensor axes '*) found=(); options=(); files=0 ;;
        ('sensor intervals '*) found=(); options=(); files=0 ;;
        ('sensor watch '*) found=(); options=('--enable:turn disabled sensors on for the time of the watch' '--plot:also append time,value,name lines to this file' '--count:end after N notifications (of polling: rounds)' '--for:end after this time' '--idle:end when nothing has come for this time' '--until:end when this holds for a record' '--interval:read again and again, in this interval' '--timestamps:what the time of a record is: wall clock, since the last record, or since the first one'); files=0 ;;
        ('board ls '*) found=(); options=(); files=0 ;;
        ('board show '*) found=(); options=(); files=0 ;;
        ('board check '*) found=(); options=(); files=1 ;;
        ('base '*) found=('info:show who the platform is and what it offers' 'agents:list the agents' 'protocols:list the protocols that this agent can use' 'perms:perms device, perms protocol' 'reset-agent:put back everything an agent has configured' 'watch:stream the errors that the platform reports'); options=(); files=0 ;;
        ('clock '*) found=('list:list clocks with their rates and parents' 'show:show all that can be known of a clock' 'info:show version and attributes of the clock protocol, and which messages there are' 'get:show gate, rate and parent of a clock' 'set:set the rate of a clock' 'enable:open the gate of a clock' 'disable:close the gate of a clock' 'rates:list the rates a clock can have' 'parents:list the clocks that can be its parent' 'parent:parent get, parent set' 'config:config get, config set' 'perms:show what this agent may do to a clock' 'tree:show all clocks below their parents' 'watch:stream rate changes of clocks'); options=(); files=0 ;;
        ('sensor '*) found=('list:list sensors with their types, units and axes' 'show:show all that can be known of a sensor' 'info:show version and attributes of the sensor protocol, and which messages there are' 'read:read sensors' 'axes:list the axes of a sensor' 'intervals:list the update intervals a sensor can have' 'config:config get, config set' 'trip:trip set, trip clear' 'watch:stream new values of sensors'); options=(); files=0 ;;
        ('info '*) found=(); options=(); files=0 ;;
        ('watch '*) found=('BASE_ERROR_EVENT:Commands of an agent failed in the platform' 'CLOCK_RATE_CHANGED:A clock has another rate now' 'CLOCK_RATE_CHANGE_REQUESTED:An agent asked for another rate' 'SENSOR_TRIP_POINT_EVENT:A trip point was crossed' 'SENSOR_UPDATE:A sensor has a new value'); options=('--count:end after N notifications (of polling: rounds)' '--for:end after this time' '--idle:end when nothing has come for this time' '--until:end when this holds for a record' '--interval:read again and again, in this interval' '--timestamps:what the time of a record is: wall clock, since the last record, or since the first one'); files=0 ;;
        ('subscribe '*) found=('BASE_ERROR_EVENT:Commands of an agent failed in the platform' 'CLOCK_RATE_CHANGED:A clock has another rate now' 'CLOCK_RATE_CHANGE_REQUESTED:An agent asked for another rate' 'SENSOR_TRIP_POINT_EVENT:A trip point was crossed' 'SENSOR_UPDATE:A sensor has a new value'); options=(); files=0 ;;
        ('unsubscribe '*) found=('BASE_ERROR_EVENT:Commands of an agent failed in the platform' 'CLOCK_RATE_CHANGED:A clock has another rate now' 'CLOCK_RATE_CHANGE_REQUESTED:An agent asked for another rate' 'SENSOR_TRIP_POINT_EVENT:A trip point was crossed' 'SENSOR_UPDATE:A sensor has a new value'); options=(); files=0 ;;
        ('call '*) found=('base.PROTOCOL_VERSION:Ask which version of the base protocol the platform speaks' 'base.PROTOCOL_ATTRIBUTES:Ask how many agents and protocols there are' 'base.PROTOCOL_MESSAGE_ATTRIBUTES:Ask whether the platform implements a message of the base protocol' 'BASE_DISCOVER_VENDOR:Read the name of the platform'\''s vendor' 'BASE_DISCOVER_SUB_VENDOR:Read the name of the platform'\''s sub-vendor' 'BASE_DISCOVER_IMPLEMENTATION_VERSION:Read the version of the platform'\''s firmware' 'BASE_DISCOVER_LIST_PROTOCOLS:List the protocols this agent can use' 'BASE_DISCOVER_AGENT:Read the name of an agent' 'BASE_NOTIFY_ERRORS:Switch the notification of errors on or off' 'BASE_SET_DEVICE_PERMISSIONS:Allow or deny an agent the use of a device' 'BASE_SET_PROTOCOL_PERMISSIONS:Allow or deny an agent one protocol of a device' 'BASE_RESET_AGENT_CONFIGURATION:Put back everything an agent has configured' 'base.NEGOTIATE_PROTOCOL_VERSION:Ask the platform to speak another version of the base protocol to this agent' 'clock.PROTOCOL_VERSION:Ask which version of the clock protocol the platform speaks' 'clock.PROTOCOL_ATTRIBUTES:Ask how many clocks there are' 'clock.PROTOCOL_MESSAGE_ATTRIBUTES:Ask whether the platform implements a message of the clock protocol' 'CLOCK_ATTRIBUTES:Describe a clock' 'CLOCK_DESCRIBE_RATES:List the rates a clock can have' 'CLOCK_RATE_SET:Set the rate of a clock' 'CLOCK_RATE_GET:Read the rate of a clock' 'CLOCK_CONFIG_SET:Enable or disable a clock, or set an extended configuration' 'CLOCK_NAME_GET:Read the whole name of a clock whose name has more than 15 characters' 'CLOCK_RATE_NOTIFY:Switch the notification of a clock'\''s rate changes on or off' 'CLOCK_RATE_CHANGE_REQUESTED_NOTIFY:Switch the notification of requests for another rate on or off' 'CLOCK_CONFIG_GET:Read the configuration of a clock' 'CLOCK_POSSIBLE_PARENTS_GET:List the clocks that can be the parent of a clock' 'CLOCK_PARENT_SET:Select the parent of a clock' 'CLOCK_PARENT_GET:Read the parent of a clock' 'CLOCK_GET_PERMISSIONS:Ask what this agent may do to a clock' 'clock.NEGOTIATE_PROTOCOL_VERSION:Ask the platform to speak another version of the clock protocol to this agent' 'sensor.PROTOCOL_VERSION:Ask which version of the sensor protocol the platform speaks' 'sensor.PROTOCOL_ATTRIBUTES:Ask how many sensors there are' 'sensor.PROTOCOL_MESSAGE_ATTRIBUTES:Ask whether the platform implements a message of the sensor protocol' 'SENSOR_DESCRIPTION_GET:Describe sensors' 'SENSOR_TRIP_POINT_NOTIFY:Switch the notification of a sensor'\''s trip points on or off' 'SENSOR_TRIP_POINT_CONFIG:Set or clear a trip point of a sensor' 'SENSOR_READING_GET:Read a sensor' 'SENSOR_AXIS_DESCRIPTION_GET:Describe the axes of a sensor' 'SENSOR_LIST_UPDATE_INTERVALS:List the update intervals a sensor can have' 'SENSOR_CONFIG_GET:Read the configuration of a sensor' 'SENSOR_CONFIG_SET:Enable or configure a sensor' 'SENSOR_CONTINUOUS_UPDATE_NOTIFY:Switch the notification of a sensor'\''s new values on or off' 'SENSOR_NAME_GET:Read the whole name of a sensor whose name has more than 15 characters' 'SENSOR_AXIS_NAME_GET:Read the whole names of a sensor'\''s axes' 'sensor.NEGOTIATE_PROTOCOL_VERSION:Ask the platform to speak another version of the sensor protocol to this agent'); options=(); files=0 ;;
        ('raw '*) found=(); options=('--payload:what follows the header' '--type:message type of the header (default 0, a command)'); files=0 ;;
        ('explain '*) found=('base.PROTOCOL_VERSION:Ask which version of the base protocol the platform speaks' 'base.PROTOCOL_ATTRIBUTES:Ask how many agents and protocols there are' 'base.PROTOCOL_MESSAGE_ATTRIBUTES:Ask whether the platform implements a message of the base protocol' 'BASE_DISCOVER_VENDOR:Read the name of the platform'\''s vendor' 'BASE_DISCOVER_SUB_VENDOR:Read the name of the platform'\''s sub-vendor' 'BASE_DISCOVER_IMPLEMENTATION_VERSION:Read the version of the platform'\''s firmware' 'BASE_DISCOVER_LIST_PROTOCOLS:List the protocols this agent can use' 'BASE_DISCOVER_AGENT:Read the name of an agent' 'BASE_NOTIFY_ERRORS:Switch the notification of errors on or off' 'BASE_SET_DEVICE_PERMISSIONS:Allow or deny an agent the use of a device' 'BASE_SET_PROTOCOL_PERMISSIONS:Allow or deny an agent one protocol of a device' 'BASE_RESET_AGENT_CONFIGURATION:Put back everything an agent has configured' 'base.NEGOTIATE_PROTOCOL_VERSION:Ask the platform to speak another version of the base protocol to this agent' 'BASE_ERROR_EVENT:Commands of an agent failed in the platform' 'clock.PROTOCOL_VERSION:Ask which version of the clock protocol the platform speaks' 'clock.PROTOCOL_ATTRIBUTES:Ask how many clocks there are' 'clock.PROTOCOL_MESSAGE_ATTRIBUTES:Ask whether the platform implements a message of the clock protocol' 'CLOCK_ATTRIBUTES:Describe a clock' 'CLOCK_DESCRIBE_RATES:List the rates a clock can have' 'CLOCK_RATE_SET:Set the rate of a clock' 'CLOCK_RATE_SET_COMPLETE:An asynchronous rate change is done' 'CLOCK_RATE_GET:Read the rate of a clock' 'CLOCK_CONFIG_SET:Enable or disable a clock, or set an extended configuration' 'CLOCK_NAME_GET:Read the whole name of a clock whose name has more than 15 characters' 'CLOCK_RATE_NOTIFY:Switch the notification of a clock'\''s rate changes on or off' 'CLOCK_RATE_CHANGE_REQUESTED_NOTIFY:Switch the notification of requests for another rate on or off' 'CLOCK_CONFIG_GET:Read the configuration of a clock' 'CLOCK_POSSIBLE_PARENTS_GET:List the clocks that can be the parent of a clock' 'CLOCK_PARENT_SET:Select the parent of a clock' 'CLOCK_PARENT_GET:Read the parent of a clock' 'CLOCK_GET_PERMISSIONS:Ask what this agent may do to a clock' 'clock.NEGOTIATE_PROTOCOL_VERSION:Ask the platform to speak another version of the clock protocol to this agent' 'CLOCK_RATE_CHANGED:A clock has another rate now' 'CLOCK_RATE_CHANGE_REQUESTED:An agent asked for another rate' 'sensor.PROTOCOL_VERSION:Ask which version of the sensor protocol the platform speaks' 'sensor.PROTOCOL_ATTRIBUTES:Ask how many sensors there are' 'sensor.PROTOCOL_MESSAGE_ATTRIBUTES:Ask whether the platform implements a message of the sensor protocol' 'SENSOR_DESCRIPTION_GET:Describe sensors' 'SENSOR_TRIP_POINT_NOTIFY:Switch the notification of a sensor'\''s trip points on or off' 'SENSOR_TRIP_POINT_CONFIG:Set or clear a trip point of a sensor' 'SENSOR_READING_GET:Read a sensor' 'SENSOR_READING_COMPLETE:An asynchronous reading is there' 'SENSOR_AXIS_DESCRIPTION_GET:Describe the axes of a sensor' 'SENSOR_LIST_UPDATE_INTERVALS:List the update intervals a sensor can have' 'SENSOR_CONFIG_GET:Read the configuration of a sensor' 'SENSOR_CONFIG_SET:Enable or configure a sensor' 'SENSOR_CONTINUOUS_UPDATE_NOTIFY:Switch the notification of a sensor'\''s new values on or off' 'SENSOR_NAME_GET:Read the whole name of a sensor whose name has more than 15 characters' 'SENSOR_AXIS_NAME_GET:Read the whole names of a sensor'\''s axes' 'sensor.NEGOTIATE_PROTOCOL_VERSION:Ask the platform to speak another version of the sensor protocol to this agent' 'SENSOR_TRIP_POINT_EVENT:A trip point was crossed' 'SENSOR_UPDATE:A sensor has a new value'); options=(); files=0 ;;
        ('serve '*) found=(); options=('--socket:where to listen, and as which agent' '--mode:permissions of the socket (default 0600)'); files=0 ;;
        ('board '*) found=('ls:list the boards that come with scmictl' 'show:print a board, as a start for one of your own' 'check:check a board file, and say what a platform made from it has'); options=(); files=0 ;;
        ('batch '*) found=(); options=('--keep-going:go on after a failure' '--line-by-line:run standard input as its lines come' '--var:set a variable'); files=1 ;;
        ('shell '*) found=(); options=(); files=0 ;;
        ('completion '*) found=('bash' 'zsh' 'fish'); options=(); files=0 ;;
        (' ') found=('base:who the platform is, its agents and permissions' 'clock:rates, gates and parents of clocks' 'sensor:readings, axes, intervals and trip points' 'info:one screen about the target' 'watch:stream notifications, or poll' 'subscribe:switch a notification on until undone' 'unsubscribe:switch a notification off again' 'call:send any message by its specification name' 'raw:send any message byte by byte' 'explain:what a message, status or header means' 'serve:be the platform behind a socket' 'board:list, show and check simulated boards' 'batch:run files of commands' 'shell:the interactive shell' 'completion:print a completion script'); options=(); files=0 ;;
    esac
    case "$option:$line " in
        ('--timestamps:sensor config set '*) compadd -- on off; return ;;
        ('--timestamps:base watch '*) compadd -- abs delta zero; return ;;
        ('--round:clock set '*) compadd -- up down auto; return ;;
        ('--timestamps:clock watch '*) compadd -- abs delta zero; return ;;
        ('--timestamps:sensor watch '*) compadd -- abs delta zero; return ;;
        ('--timestamps:watch '*) compadd -- abs delta zero; return ;;
        (--output:*) compadd -- table plain json jsonl csv hex; return ;;
        (-o:*) compadd -- table plain json jsonl csv hex; return ;;
        (--units:*) compadd -- si raw hex; return ;;
        (--color:*) compadd -- auto always never; return ;;
        (?*:*) _files; return ;;
    esac
    if [[ ${words[CURRENT]} == -* ]]; then
        options+=($globals)
        _describe -o option options
        return
    fi
    (( $#found )) && _describe word found
    (( files )) && _files
}
compdef _scmictl scmictl
