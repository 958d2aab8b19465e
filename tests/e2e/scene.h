// Scene: a folder, a job name and the processes of one test. Nothing of it is left when the test ends.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/process.h"
#include "tests/paths.h"

namespace capstan {

using namespace std::chrono_literals;

struct Outcome {
  int code = -1;
  std::string out, err;
};

class Scene : public testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kPatience{
      150'000};  // for what takes a second on a quiet machine

  Scene();
  ~Scene() override;  // fails the test when one of its processes still runs

  const std::string& job() const { return job_; }
  std::string path(const std::string& name = "") const {
    return name.empty() ? folder_ : folder_ + "/" + name;
  }
  // Gives the path of the file.
  std::string write(const std::string& name, const std::string& text) const;

  // Starts `capstan ARGS…`, or another program when `program` names one.
  std::unique_ptr<Process> start(std::vector<std::string> args,
                                 const std::string& program = capstan_binary());
  // Runs it to its end; code -1 when it does not come.
  Outcome run(std::vector<std::string> args, std::chrono::milliseconds patience = kPatience);

  std::vector<RunningProcess> processes() const { return tagged_processes(job_); }
  // The process that runs as node `name`: "scheduler", "ps-0", "worker-1".
  std::optional<pid_t> find(const std::string& name) const;
  bool all_gone(std::chrono::milliseconds patience = 10s) const;
  // A JSON file; an empty object when it is none.
  boost::json::object json(const std::string& name) const;

  // A ranking job over 150 users and 80 items made up with a seed; `more` is YAML appended to it. Checkpoints
  // go to `checkpoints`, the report to `report.json`, the rest to `work`.
  std::string ratings_job(const std::string& train, const std::string& more = "") const;
  // The scheduler's address, once it has written it to `file`; empty when `process` ends without that.
  std::string endpoint_in(const std::string& file, Process& process) const;

 private:
  std::string folder_, job_;
  int started_ = 0;
};

// What is at "a.b.c"; null when there is nothing.
boost::json::value at(const boost::json::object& object, const std::string& dotted);
double number_at(const boost::json::object& object, const std::string& dotted);  // NaN when there is none

}  // namespace capstan
