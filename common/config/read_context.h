// ReadContext: what reading a job file collects besides the values: every error, and where each value was
// written.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/config/yaml_node.h"

namespace capstan {

class ReadContext {
 public:
  // An error at a value of the file.
  void fail(const std::string& path, const Place& place, std::string message);
  // An error about a setting, wherever it or the section around it was written.
  void fail_at(const std::string& path, std::string message);
  // Whether the setting, or anything in it or around it, already has an error.
  bool failed(const std::string& path) const;
  // Counts the setting as wrong without a message of its own, so that checks do not complain about it again.
  void mark_failed(const std::string& path) { failed_.insert(path); }

  void note(const std::string& path, const Place& place) { places_[path] = place; }
  // Whether the file or an override gives the setting.
  bool written(const std::string& path) const { return places_.contains(path); }
  const std::map<std::string, Place>& places() const { return places_; }
  std::vector<ConfigError>& errors() { return errors_; }

  // What a table's own optimizer starts from: the settings read so far for all sparse tables, or for all
  // layers.
  OptimizerSpec optimizer_base;
  OptimizerSpec layer_optimizer = JobConfig{}.dense_optimizer;

 private:
  std::vector<ConfigError> errors_;
  std::map<std::string, Place> places_;
  std::set<std::string> failed_;
};

}  // namespace capstan
