// Metrics in the text format that Prometheus reads (version 0.0.4), by prometheus-cpp.
#pragma once

#include <string>

#include "common/metrics.h"

namespace capstan {

inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

std::string prometheus_text(const Metrics& metrics);

}  // namespace capstan
