// Doctor: what a host lacks that a node would like to have.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace capstan {

struct Finding {
  enum class State { kGood, kWorse, kBad };  // kBad: nodes do not run here
  std::string what;                          // "open files"
  State state = State::kGood;
  std::string found;   // "1024"
  std::string advice;  // what to change; empty when all is well
};

struct DoctorArgs {
  std::string folder = ".";            // where checkpoints, journal and logs are to lie
  std::vector<std::string> endpoints;  // tcp://HOST:PORT to listen at
};

std::vector<Finding> examine(const DoctorArgs& args);

// {"version", "time_ms" (since 1970), "cores", "memory" (bytes), "findings": [{what, state, found, advice}]}
boost::json::object doctor_json(const std::vector<Finding>& findings);

std::string_view to_string(Finding::State state);  // "good", "worse", "bad"

}  // namespace capstan
