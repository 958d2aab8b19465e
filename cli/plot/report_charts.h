// The charts that reports have figures for.
#pragma once

#include <string>
#include <vector>

#include "cli/plot/chart.h"
#include "cli/report_file.h"

namespace capstan {

struct NamedChart {
  std::string name;  // "roc": of the file, and on the command line
  Chart chart;
};

// Names of all charts there are, in their order.
std::vector<std::string> chart_names();

// Those that at least one report has something for: each report is a series, called after its job, or after
// its path where jobs share a name. `trade_off` has a point for each model and baseline.
std::vector<NamedChart> charts_of(const std::vector<ReportFile>& reports);

}  // namespace capstan
