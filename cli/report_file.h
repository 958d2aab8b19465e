// ReportFile: a report as the other commands read it again, and what was kept beside it.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "common/result.h"
#include "worker/eval/kept_values.h"

namespace capstan {

struct ReportFile {
  std::string path;
  boost::json::object json;

  std::string job() const;
  // The figures of the model or of a baseline on the test part; null: there are none.
  const boost::json::object* figures(const std::string& model) const;
  std::vector<std::string> models() const;  // whose figures it has, the model's first
  // kInvalid when nothing was kept, and how it would be.
  Result<KeptValues> values() const;
};

Result<ReportFile> read_report(const std::string& path);

}  // namespace capstan
