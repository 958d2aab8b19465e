// The names that a job file may choose from where several parts of the program must agree.
#pragma once

#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/config/schema.h"

namespace capstan {

std::vector<WordSpec> metric_words();
std::vector<WordSpec> baseline_words();

bool is_ranking_metric(const std::string& name);
// Whether the task gives what the metric needs.
bool metric_fits(const std::string& name, Task task);
// "ndcg@10" names the metric "ndcg".
std::string metric_base(const std::string& name);

std::string to_word(Task task);

}  // namespace capstan
