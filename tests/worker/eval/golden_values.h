// Reads what golden/record.py wrote: cases of named lines of numbers.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/paths.h"

namespace capstan {

struct GoldenValues {
  std::string name;
  std::map<std::string, std::vector<double>> lines;

  std::vector<float> floats(const std::string& line) const {
    return {lines.at(line).begin(), lines.at(line).end()};
  }
};

inline std::vector<GoldenValues> golden_values(const std::string& file_name) {
  const auto path = source_dir() / "tests/worker/eval/golden" / file_name;
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path << " is not there: golden/record.py writes it";
  std::vector<GoldenValues> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "case") {
      cases.emplace_back();
      words >> cases.back().name;
      continue;
    }
    for (double value = 0.0; words >> value;) cases.back().lines[name].push_back(value);
  }
  return cases;
}

}  // namespace capstan
