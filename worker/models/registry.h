// The explicit list of models.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

struct ModelEntry {
  std::string_view type;  // as in the job file
  Result<std::unique_ptr<Model>> (*make)(ModelTables tables);
};

std::span<const ModelEntry> all_models();

// kInvalid for a type that is not in the list (the message names those that are), for one that does not fit
// the fields, and for in-batch negatives with a loss or a model that cannot use them.
Result<std::unique_ptr<Model>> make_model(const JobConfig& job, std::span<const FieldInfo> fields);

}  // namespace capstan
