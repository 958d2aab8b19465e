#include "worker/data/prepare.h"

#include "worker/data/build.h"

namespace capstan {

Result<Dataset> prepare(const JobConfig& job, const PrepareProgress& progress) {
  return build_dataset(job, progress);
}

}  // namespace capstan
