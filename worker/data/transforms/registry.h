// The one list of transforms.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/data/transforms/transform.h"

namespace capstan {

// Every transform's name, sorted.
std::vector<std::string> transform_names();

// What a chain that begins with this transform is given of its column: text, or numbers read from the text.
// kKey: dense indices when the column is data.user or data.item, else text. Unknown names: text.
ValueKind transform_input(const std::string& name);

// kInvalid for an unknown name or option, with the nearest right word.
Result<std::unique_ptr<Transform>> make_transform(const TransformStep& step);

}  // namespace capstan
