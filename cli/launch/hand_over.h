// A job that others start: Slurm from a batch script, Kubernetes from manifests.
#pragma once

#include "cli/launch/launch.h"

namespace capstan {

// Writes work_dir/job.yaml and work_dir/slurm.sh and submits that with sbatch; a dry run only prints it.
// Gives the exit code.
int submit_to_slurm(const LaunchArgs& args);

// Prints the manifests. Keys are made if need be, and are in them. Gives the exit code.
int print_k8s(const LaunchArgs& args);

}  // namespace capstan
