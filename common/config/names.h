// The names that a job file may choose from where several parts of the program must agree.
#pragma once

#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/config/schema.h"

namespace capstan {

std::vector<WordSpec> metric_words();
std::vector<WordSpec> baseline_words();
std::vector<WordSpec> beside_words();
// The split of a word of beside_words().
SplitMethod beside_method(const std::string& name);

// Whether more or less of the metric means a better model, so that early stopping can watch it.
bool may_stop(const std::string& name);
// Whether the task gives what the metric needs.
bool metric_fits(const std::string& name, Task task);
// "ndcg@10" names the metric "ndcg".
std::string metric_base(const std::string& name);

// Whether a model may call a layer so; every other table belongs to a feature.
bool is_layer_table(const std::string& name);
// What models put behind a feature's table for a second one of the same keys: "_linear".
std::vector<std::string> table_suffixes();

std::string to_word(Task task);

}  // namespace capstan
