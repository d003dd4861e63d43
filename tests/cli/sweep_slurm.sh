# A sweep as a Slurm job array on real daemons: munged, slurmctld and slurmd of this test's own, on the loopback interface, with
# everything they write in the test's folder. The joined shards are what one process finds. Works as root without systemd.
# timeout: 300
# serial: yes
# once: yes
. "$(dirname "$0")/../lib/env.sh"
need slurmctld slurmctld
need slurmd slurmd
need sbatch slurm-client
need munged munge
rom=$TRAPLINE_SOURCE/roms/test-sweep.elf
script=$TRAPLINE_SOURCE/contrib/sweep.sbatch
daemons=()

# End what was started, by its id, and wait for it, so that the folder can be removed.
stop()
{
    local pid
    [ ${#daemons[@]} -eq 0 ] || kill "${daemons[@]}" 2>/dev/null || true
    for pid in "${daemons[@]}"; do
        for _ in {1..100}; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap stop EXIT

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

host=$(hostname)
host=${host%%.*}
user=$(id -un)
port=$((20000 + $$ % 20000))
mkdir -m 700 "$scratch/munge" "$scratch/state" "$scratch/spool"
chmod 755 "$scratch"
dd if=/dev/urandom of="$scratch/munge/key" bs=1 count=1024 status=none
chmod 400 "$scratch/munge/key"
cat >"$scratch/slurm.conf" <<END
ClusterName=trapline
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$scratch/munge/socket
CredType=cred/munge
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
SlurmctldLogFile=$scratch/slurmctld.log
SlurmdLogFile=$scratch/slurmd.log
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SwitchType=switch/none
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
END
export SLURM_CONF=$scratch/slurm.conf

munged --foreground --force --key-file="$scratch/munge/key" --socket="$scratch/munge/socket" --pid-file="$scratch/munge/pid" \
    --seed-file="$scratch/munge/seed" --log-file="$scratch/munge/log" >"$scratch/munged.out" 2>&1 &
daemons+=($!)
wait_for 20 test -S "$scratch/munge/socket" || fail "munged: $(cat "$scratch/munged.out" "$scratch/munge/log" 2>/dev/null)"
slurmctld -D -f "$SLURM_CONF" >"$scratch/slurmctld.out" 2>&1 &
daemons+=($!)
wait_for 30 scontrol ping || fail "slurmctld: $(tail -n 20 "$scratch/slurmctld.log" "$scratch/slurmctld.out" 2>/dev/null)"
slurmd -D -N "$host" -f "$SLURM_CONF" >"$scratch/slurmd.out" 2>&1 &
daemons+=($!)
idle() { sinfo -h -o %T | grep -q idle; }
wait_for 60 idle || fail "slurmd: $(sinfo -R; tail -n 20 "$scratch/slurmd.log" "$scratch/slurmd.out" 2>/dev/null)"

# One sweep with failing cases, nested ones included; here by one process.
sweep=("$rom" --event meip --event ssip --handler 0,1,8 --nest msip)
status=0
"$TRAPLINE" sweep "${sweep[@]}" --jobs 1 --json "$scratch/one.json" --junit "$scratch/one.xml" >"$scratch/one.txt" 2>/dev/null || status=$?
[ "$status" -eq 1 ] || fail "the sweep ends with $status"

export TRAPLINE
cd "$scratch"
timeout 120 sbatch --wait --array=1-5 --output=task.%a "$script" 5 "$scratch/parts" "${sweep[@]}" >sbatch.out 2>&1 ||
    fail "the job array: $(cat sbatch.out task.* 2>/dev/null; tail -n 20 slurmctld.log slurmd.log)"
[ "$(find parts -type f | wc -l)" -eq 5 ] || fail "parts: $(ls parts)"
status=0
"$TRAPLINE" sweep --merge parts/part.* --json all.json --junit all.xml >all.txt || status=$?
[ "$status" -eq 1 ] || fail "the joined sweep ends with $status"
for kind in json xml txt; do
    cmp -s one.$kind all.$kind || fail "the joined results differ: $(diff one.$kind all.$kind | head -n 5)"
done

# A lost task: joining says which, and it alone is repeated.
rm parts/part.3
status=0
"$TRAPLINE" sweep --merge parts/part.* 2>err >/dev/null || status=$?
[ "$status" -eq 2 ] && [ "$(cat err)" = "trapline: shard 3 of 5 is missing" ] || fail "a missing shard: status $status, $(cat err)"
timeout 120 sbatch --wait --array=3 --output=again.%a "$script" 5 "$scratch/parts" "${sweep[@]}" >sbatch.out 2>&1 ||
    fail "the repeated task: $(cat sbatch.out again.* 2>/dev/null)"
"$TRAPLINE" sweep --merge parts/part.* >again.txt || true
cmp -s one.txt again.txt || fail "the results with a repeated task differ"

# A job that is no array says what it should be.
status=0
timeout 120 sbatch --wait --output=single "$script" 5 "$scratch/parts" "${sweep[@]}" >sbatch.out 2>&1 || status=$?
[ "$status" -ne 0 ] && grep -q 'submit it with --array=1-5' single || fail "a job that is no array: status $status, $(cat single)"
echo "a sweep in 5 shards on slurmd $(slurmd -V | cut -d' ' -f2)"
