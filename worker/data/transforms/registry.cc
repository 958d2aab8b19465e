#include "worker/data/transforms/registry.h"

#include <spdlog/fmt/fmt.h>

#include "common/text.h"
#include "worker/data/transforms/bucketise.h"
#include "worker/data/transforms/counter.h"
#include "worker/data/transforms/cross.h"
#include "worker/data/transforms/hash.h"
#include "worker/data/transforms/history.h"
#include "worker/data/transforms/log.h"
#include "worker/data/transforms/minmax.h"
#include "worker/data/transforms/ngrams.h"
#include "worker/data/transforms/split_list.h"
#include "worker/data/transforms/vocab.h"
#include "worker/data/transforms/weighted.h"
#include "worker/data/transforms/zscore.h"

namespace capstan {
namespace {

using Factory = Result<std::unique_ptr<Transform>> (*)(TransformOptions&);

struct Entry {
  std::string_view name;
  ValueKind input;
  Factory make;
};

constexpr Entry kTransforms[] = {
    {"bucketise", ValueKind::kNumber, make_bucketise_transform},
    {"counter", ValueKind::kKey, make_counter_transform},
    {"cross", ValueKind::kText, make_cross_transform},
    {"hash", ValueKind::kText, make_hash_transform},
    {"history", ValueKind::kKey, make_history_transform},
    {"log", ValueKind::kNumber, make_log_transform},
    {"minmax", ValueKind::kNumber, make_minmax_transform},
    {"ngrams", ValueKind::kText, make_ngrams_transform},
    {"split", ValueKind::kText, make_split_transform},
    {"vocab", ValueKind::kText, make_vocab_transform},
    {"weighted", ValueKind::kText, make_weighted_transform},
    {"zscore", ValueKind::kNumber, make_zscore_transform},
};

}  // namespace

std::vector<std::string> transform_names() {
  std::vector<std::string> names;
  for (const auto& entry : kTransforms) names.emplace_back(entry.name);
  return names;
}

ValueKind transform_input(const std::string& name) {
  for (const auto& entry : kTransforms) {
    if (entry.name == name) return entry.input;
  }
  return ValueKind::kText;
}

Result<std::unique_ptr<Transform>> make_transform(const TransformStep& step) {
  for (const auto& entry : kTransforms) {
    if (entry.name != step.name) continue;
    TransformOptions options(step);
    return entry.make(options).wrap(step.name);
  }
  const auto names = transform_names();
  const std::string near = nearest_word(step.name, names);
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("no transform '{}'{}; there are {}", step.name,
                  near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), join(names, ", ")));
}

}  // namespace capstan
