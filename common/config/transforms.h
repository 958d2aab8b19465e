// The transforms that a feature's chain may name, with the options of each: what the job file is checked
// against.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/codecs.h"
#include "common/config/job_config.h"

namespace capstan {

enum class OptionType { kInteger, kNumber, kText, kFlag, kNumbers, kWord };

struct TransformOption {
  std::string name;
  OptionType type = OptionType::kText;
  std::string default_text;  // "" : none
  std::string doc;
  Range range = {};
  std::vector<std::string> words = {};
  bool required = false;
};

enum class TransformOutput { kKeys, kKeyList, kNumber };

struct TransformInfo {
  std::string name;
  TransformOutput output = TransformOutput::kKeys;
  std::string doc;
  std::vector<TransformOption> options;
};

const TransformInfo* find_transform(const std::vector<TransformInfo>& all, const std::string& name);
std::vector<TransformInfo> all_transforms();

// `vocab`, `{vocab: {min_count: 5}}`, or a list of such. Options are kept as text, a list of numbers as
// "1,2,3".
Codec<std::vector<TransformStep>> transform_chain();

}  // namespace capstan
