#include "common/config/codecs.h"
#include "common/config/schema.h"

namespace capstan {

std::shared_ptr<const SectionSpec> train_schema() {
  const auto consistency = word<Consistency>({
      {"async", Consistency::kAsync, "nobody waits"},
      {"bounded", Consistency::kBounded, "nobody is more than `staleness` steps ahead"},
      {"sync", Consistency::kSync, "one averaged update a step: as one worker with the whole batch"},
  });
  const auto count = integer<std::uint32_t>;
  return SectionBuilder<TrainConfig>()
      .key("consistency", &TrainConfig::consistency, consistency, "How far workers may drift apart.")
      .key("staleness", &TrainConfig::staleness, count(between(0, 1000)), "For `bounded`: steps.")
      .key("passes", &TrainConfig::passes, count(between(0, 100000)), "Times that the training data is read.")
      .key("batch_size", &TrainConfig::batch_size, count(between(1, 16777216)),
           "Positives of one batch; in `sync` of the whole step.")
      .key("partitions", &TrainConfig::partitions, count(between(0, 65536)), "Slices of a pass.")
      .default_note("0: four a worker in `async`, else one a worker")
      .key("pipeline_depth", &TrainConfig::pipeline_depth, count(between(0, 64)),
           "Batches that are read and pulled ahead of the one computed.")
      .key("micro_batch", &TrainConfig::micro_batch, count(between(1, 1048576)),
           "Examples that one thread computes at a time; with in-batch negatives always the whole batch.")
      .key("max_bad_batches", &TrainConfig::max_bad_batches, count(Range{}),
           "More batches with NaN or infinity than this end the job.")
      .key("include_valid", &TrainConfig::include_valid, boolean(),
           "Train on the validation part too: for the last run, with settings that were tuned on it; "
           "not with early stopping.")
      .key("early_stop_patience", &TrainConfig::early_stop_patience, count(between(0, 100000)),
           "Validations without improvement that end training; 0: off.")
      .key("early_stop_metric", &TrainConfig::early_stop_metric, text(),
           "Read on validation only; `ndcg@10`.")
      .default_note("ndcg for ranking, auc for ctr, rmse for rating")
      .key("push_window", &TrainConfig::push_window, count(between(1, 1024)),
           "Pushes that may wait for an answer, for each stream and server.")
      .key("pull_copies", &TrainConfig::pull_copies, boolean(),
           "Workers pull from backups too, each from another: for `bounded` with cluster.replicas of 2 and "
           "more.")
      .build();
}

std::shared_ptr<const SectionSpec> checkpoint_schema() {
  return SectionBuilder<CheckpointConfig>()
      .key("path", &CheckpointConfig::path, text(),
           "A folder that every server can write to, or an object store: `s3://bucket/prefix`, "
           "`s3+https://host/bucket/prefix`; `encrypted:` before either: encrypted there; empty: no "
           "checkpoints.")
      .key("every", &CheckpointConfig::every_seconds, duration(std::chrono::seconds(1)),
           "Time between two checkpoints, in whole seconds; 0: only at the end.")
      .key("every_steps", &CheckpointConfig::every_steps, integer<std::uint64_t>(),
           "Batches (over all workers) between two checkpoints; 0: does not count them.")
      .key("keep", &CheckpointConfig::keep, integer<std::uint32_t>(between(1, 10000)),
           "The newest that are kept; besides them the best one, if it is older, and those that kept ones "
           "build upon.")
      .key("full_every", &CheckpointConfig::full_every, integer<std::uint32_t>(between(1, 1000)),
           "One checkpoint of so many holds all rows, the others those that changed since the one before; "
           "1: all do. Those made after the best pass and the last always hold all.")
      .build();
}

}  // namespace capstan
