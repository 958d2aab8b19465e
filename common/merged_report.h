// MergedReport: what the last merge of a job gives: the evaluation as JSON, and beside it what each user or
// example got.
#pragma once

#include <string>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

struct MergedReport {
  std::string json;
  Buffer values;  // an npz, see docs/FORMATS.md; empty: none
};

// JSON holds no zero byte, so one parts the two.
Buffer encode(const MergedReport& report);
MergedReport decode_merged_report(const Buffer& bytes);

// Beside the report: "out/report.values.npz" for "out/report.json". Empty for another ending: it may be a
// device.
std::string values_path(const std::string& report_path);

}  // namespace capstan
