// The evaluation as something to read: a table of figures, comparisons, recommendations with their reasons.
#pragma once

#include <string>
#include <string_view>

#include "common/config/job_config.h"

namespace capstan {

// report: the JSON of ReportMergePart.
std::string report_text(const JobConfig& job, std::string_view report);

// figures: the JSON of ValidMergePart.
std::string valid_text(const JobConfig& job, std::string_view figures);

// recommendations: the JSON of RecommendPart.
std::string recommendations_text(std::string_view recommendations);

}  // namespace capstan
