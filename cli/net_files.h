// NetFiles: what it takes, beside the tables, to serve a checkpoint's model without Capstan.
#pragma once

#include <cstdint>
#include <string>

#include "cli/offline_job.h"
#include "worker/onnx/net.h"

namespace capstan {

// Below the folder of the export: the tables, whose names may be anything.
inline constexpr const char* kTablesFolder = "tables";

// model.onnx: the net; features.json: which rows of which table its inputs are; users and items: what the job
// knows of them; examples.npz: examples of the job with the scores that come out. See docs/EXPORT.md.
class NetFiles {
 public:
  // `job` outlives this. kInvalid: the model has no ONNX form.
  static Result<NetFiles> create(OfflineJob& job);

  // The folder is there. Gives what was written, in words. examples: how many, 0: no such file.
  Result<std::string> write(const std::string& folder, std::uint32_t examples) const;

 private:
  explicit NetFiles(OfflineJob& job) : job_(job) {}
  std::string features_json() const;

  OfflineJob& job_;
  bool probability_ = false;
  OnnxNet net_;
};

}  // namespace capstan
