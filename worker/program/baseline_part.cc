#include "worker/program/baseline_part.h"

#include "worker/baselines/baseline.h"
#include "worker/baselines/evaluate_baseline.h"
#include "worker/program/rank_part.h"

namespace capstan {

Result<Buffer> BaselinePart::finish(const WorkItem& item) {
  CAPSTAN_ASSIGN(RankingOptions options, ranking_options(job_, EvalSplit::kTest));
  options.trained_on = History::kTrainValid;  // tuned on validation, then fitted on all that is not test
  CAPSTAN_ASSIGN(const auto baseline, make_baseline(name_, BaselineOptions{}));
  CAPSTAN_TRY(baseline->fit(data_, options.trained_on));
  CAPSTAN_ASSIGN(const RankingPart part,
                 evaluate_baseline(*baseline, data_, options, item.partition, item.num_partitions));
  return encode(part);
}

}  // namespace capstan
