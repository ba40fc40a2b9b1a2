# Makes the kernel set what consumers.dtsi has users for. The test looks at the platform at each AT line.
devices=/sys/devices/platform
bus=$devices/bus-with-supplies
user=$devices/regulator-user
policy=/sys/devices/system/cpu/cpufreq/policy0
zone=/sys/class/powercap/arm-scmi:0

echo "AT rest"
echo on >$bus/power/control
echo "AT power-on $(cat $bus/power/runtime_status)"
echo auto >$bus/power/control
sleep 0.3
echo "AT power-off $(cat $bus/power/runtime_status)"
echo 1000000 >$user/max_microvolts
echo 900000 >$user/min_microvolts
echo "AT voltage"
echo 600000 >$policy/scaling_setspeed
echo "AT slow $(cat $policy/scaling_cur_freq)"
echo 1500000 >$policy/scaling_setspeed
echo "AT fast $(cat $policy/scaling_cur_freq)"
echo 4000000 >$zone/constraint_0_power_limit_uw
echo "AT cap $(cat $zone/constraint_0_power_limit_uw)"
grep i2c0 /sys/kernel/debug/pinctrl/*scmi*/pinmux-pins /sys/kernel/debug/pinctrl/*scmi*/pinconf-pins
cat /sys/kernel/debug/clk/uart0/clk_rate
