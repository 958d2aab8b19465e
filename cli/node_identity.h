// Who a node is where a cluster manager starts it: no wrapper has to tell.
#pragma once

#include <string>
#include <string_view>

namespace capstan {

// Its number N among those of its kind, as STEM-N: Slurm's SLURM_PROCID of an srun step; Kubernetes'
// JOB_COMPLETION_INDEX of an indexed Job, or the ordinal at the end of a StatefulSet's pod name. Empty when
// none of them started this process.
std::string name_from_environment(std::string_view stem);

}  // namespace capstan
