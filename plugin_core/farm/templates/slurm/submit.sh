#!/bin/sh
# Submit this job to Slurm: sh submit.sh. Written by `cleanplate farm`; run it again to go on after any end.
set -eu
cd "$$(dirname "$$0")"
mkdir -p logs
queue() { sbatch --parsable --kill-on-invalid-dep=yes --output=logs/%x.%A_%a.log "$$@"; }

$steps
