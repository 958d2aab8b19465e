// A chart as plain values, and as SVG that reads well on light and dark pages.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace capstan {

struct Series {
  std::string name;  // of the legend
  std::vector<std::pair<double, double>> points;
};

struct Chart {
  enum class Kind { kLines, kPoints, kBars };
  Kind kind = Kind::kLines;
  std::string title, x_label, y_label;
  std::vector<Series> series;
  std::vector<std::string> categories;  // bars: names under the places 0, 1, ...; a series has one point each
  bool unit_square = false;             // both axes from 0 to 1
  bool diagonal = false;                // what chance, or a perfect forecast, would give
  bool whole_x = false;                 // nothing lies between 1 and 2: passes
};

// A whole document; colours follow the reader's colour scheme, and lines differ in their dashes too.
std::string to_svg(const Chart& chart);

// Ticks at 1, 2 or 5 times a power of ten that lie in [low, high], about `wanted` of them.
// REQUIRES: low < high, both finite.
std::vector<double> nice_ticks(double low, double high, int wanted);

}  // namespace capstan
