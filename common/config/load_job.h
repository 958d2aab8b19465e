// Loading a job file: read, fill in, check. Every mistake is reported in one go, each with its place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/job_config.h"
#include "common/config/substitute.h"
#include "common/config/yaml_node.h"
#include "common/result.h"

namespace capstan {

struct LoadedJob {
  JobConfig config;
  // The job with every default filled in. Loading this text gives an equal config, in any environment: the
  // scheduler sends it to the other processes.
  std::string effective_yaml;
  // YAML path to where its value was written: "movielens.yaml:12", "--set", "movielens.yaml:5, env
  // CAPSTAN_DATA". A path that is not here has its default.
  std::map<std::string, std::string> origins;
};

struct ConfigErrors {
  std::vector<ConfigError> all;  // by place
  std::string text() const;      // one a line
};

struct LoadOutcome {
  std::optional<LoadedJob> job;  // absent when there are errors
  ConfigErrors errors;
};

// `overrides` are "path=value", such as "train.passes=3" or "features[0].transform={hash: {buckets: 1000}}".
LoadOutcome read_job(std::string_view text, const std::string& name,
                     const std::vector<std::string>& overrides, const Environment& environment);

// As above; the error is kInvalid with every mistake on a line of its own ("movielens.yaml:12:5: ..."), or
// kNotFound or kIo for a file that cannot be read.
Result<LoadedJob> load_job(const std::string& path, const std::vector<std::string>& overrides = {});
// The text of a job file; kNotFound or kIo.
Result<std::string> read_job_file(const std::string& path);
Result<LoadedJob> load_job_text(std::string_view text, const std::string& name);

// The effective job, each value with where it came from; valid YAML.
std::string explain(const LoadedJob& job);

}  // namespace capstan
