#include "cli/plot/chart.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace capstan {
namespace {

constexpr double kWidth = 720, kHeight = 440;
constexpr double kLeft = 72, kRight = 24, kTop = 52, kBottom = 56;
constexpr double kLegendRow = 20, kLegendColumn = 220;
constexpr std::size_t kColours = 8;

// Okabe and Ito's colours, which people with colour blindness tell apart, and lighter ones for dark pages.
constexpr const char* kStyle = R"(<style>
text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#24292f}
.title{font-size:16px;font-weight:600}.soft{fill:#57606a}
.page{fill:#ffffff}.grid{stroke:#d0d7de;stroke-width:1}.axis{stroke:#57606a;stroke-width:1}
.guide{stroke:#8c959f;stroke-width:1.5;stroke-dasharray:2 4;fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.dot{stroke:none}.bar{stroke:none}
.s0{stroke:#0072b2;fill:#0072b2}.s1{stroke:#d55e00;fill:#d55e00}.s2{stroke:#009e73;fill:#009e73}
.s3{stroke:#cc79a7;fill:#cc79a7}.s4{stroke:#b8860b;fill:#b8860b}.s5{stroke:#56b4e9;fill:#56b4e9}
.s6{stroke:#555555;fill:#555555}.s7{stroke:#8250df;fill:#8250df}
.s1.line{stroke-dasharray:8 4}.s2.line{stroke-dasharray:3 3}.s3.line{stroke-dasharray:10 3 3 3}
.s4.line{stroke-dasharray:14 4}.s5.line{stroke-dasharray:5 2}.s6.line{stroke-dasharray:1 3}
.s7.line{stroke-dasharray:12 3 2 3 2 3}.line{fill:none}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.soft{fill:#9da7b3}.page{fill:#0d1117}.grid{stroke:#30363d}.axis{stroke:#9da7b3}
.s0{stroke:#58a6ff;fill:#58a6ff}.s1{stroke:#ff9a4d;fill:#ff9a4d}.s2{stroke:#3ddc97;fill:#3ddc97}
.s3{stroke:#f0a6cf;fill:#f0a6cf}.s4{stroke:#f2cc60;fill:#f2cc60}.s5{stroke:#a5d8ff;fill:#a5d8ff}
.s6{stroke:#c9d1d9;fill:#c9d1d9}.s7{stroke:#bc8cff;fill:#bc8cff}.line{fill:none}
}
</style>
)";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) result += c;
    }
  }
  return result;
}

struct Axis {
  double low = 0.0, high = 1.0;
  std::vector<double> ticks;

  double share(double value) const { return (value - low) / (high - low); }
};

Axis axis_of(double low, double high, int wanted) {
  if (!(low <= high)) low = 0.0, high = 1.0;
  if (low == high) {
    const double room = low == 0.0 ? 1.0 : std::abs(low) * 0.1;
    low -= room;
    high += room;
  }
  const auto inner = nice_ticks(low, high, wanted);
  const double step = inner.size() > 1 ? inner[1] - inner[0] : high - low;
  Axis axis{std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, {}};
  axis.ticks = nice_ticks(axis.low, axis.high, wanted);
  return axis;
}

std::string tick_text(double value, const Axis& axis) {
  const double step = axis.ticks.size() > 1 ? axis.ticks[1] - axis.ticks[0] : 1.0;
  const int digits = static_cast<int>(std::max(0.0, std::ceil(-std::log10(step) - 1e-9)));
  if (std::abs(value) >= 1e6 || digits > 6) return fmt::format("{:g}", value);
  return fmt::format("{:.{}f}", std::abs(value) < step / 1e6 ? 0.0 : value, digits);
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart) {
    const auto per_row = static_cast<std::size_t>((kWidth - kLeft - kRight) / kLegendColumn);
    const std::size_t rows = chart.series.size() < 2 ? 0 : (chart.series.size() + per_row - 1) / per_row;
    legend_ = kLegendRow * static_cast<double>(rows);
    legend_columns_ = per_row;
    choose_axes();
  }

  std::string draw() {
    text_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "role=\"img\" aria-label=\"{2}\">\n{3}<rect class=\"page\" width=\"{0}\" height=\"{1}\"/>\n",
        kWidth, kHeight + legend_, escaped(chart_.title), kStyle);
    label(kLeft, 28, "title", "start", chart_.title);
    grid();
    const double from = std::max(x_.low, y_.low), to = std::min(x_.high, y_.high);
    if (chart_.diagonal && from < to)
      text_ += fmt::format("<path class=\"guide\" d=\"{}\"/>\n", path({{from, from}, {to, to}}));
    for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_series(i);
    legend();
    return text_ + "</svg>\n";
  }

 private:
  static constexpr double kPlotWidth = kWidth - kLeft - kRight;
  static constexpr double kPlotHeight = kHeight - kTop - kBottom;

  bool bars() const { return chart_.kind == Chart::Kind::kBars; }
  double x_of(double value) const { return kLeft + kPlotWidth * x_.share(value); }
  double y_of(double value) const { return legend_ + kTop + kPlotHeight * (1.0 - y_.share(value)); }
  static std::string class_of(std::size_t series) { return fmt::format("s{}", series % kColours); }

  void choose_axes() {
    constexpr double kNone = std::numeric_limits<double>::infinity();
    double low[2] = {kNone, kNone}, high[2] = {-kNone, -kNone};
    for (const Series& series : chart_.series) {
      for (const auto& [x, y] : series.points) {
        if (!std::isfinite(x) || !std::isfinite(y)) continue;
        low[0] = std::min(low[0], x), high[0] = std::max(high[0], x);
        low[1] = std::min(low[1], y), high[1] = std::max(high[1], y);
      }
    }
    if (chart_.unit_square) low[0] = low[1] = 0.0, high[0] = high[1] = 1.0;
    if (bars()) low[1] = 0.0;
    constexpr double kTicks = 8;
    const double range = std::isfinite(high[0] - low[0]) ? high[0] - low[0] : kTicks;
    x_ = axis_of(low[0], high[0], static_cast<int>(chart_.whole_x ? std::clamp(range, 1.0, kTicks) : kTicks));
    y_ = axis_of(low[1], high[1], 6);
    if (bars()) x_ = {-0.5, static_cast<double>(chart_.categories.size()) - 0.5, {}};
  }

  void label(double x, double y, const char* kind, const char* anchor, const std::string& words) {
    text_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", kind,
                         x, y, anchor, escaped(words));
  }

  void line(const char* kind, double x1, double y1, double x2, double y2) {
    text_ += fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                         kind, x1, y1, x2, y2);
  }

  void grid() {
    const double bottom = y_of(y_.low);
    for (const double tick : y_.ticks) {
      line("grid", kLeft, y_of(tick), kWidth - kRight, y_of(tick));
      label(kLeft - 8, y_of(tick) + 4, "soft", "end", tick_text(tick, y_));
    }
    for (const double tick : x_.ticks) {
      line("grid", x_of(tick), y_of(y_.high), x_of(tick), bottom);
      label(x_of(tick), bottom + 18, "soft", "middle", tick_text(tick, x_));
    }
    for (std::size_t i = 0; i < chart_.categories.size(); ++i)
      label(x_of(static_cast<double>(i)), bottom + 18, "soft", "middle", chart_.categories[i]);
    line("axis", kLeft, bottom, kWidth - kRight, bottom);
    label(kLeft + kPlotWidth / 2, bottom + 42, "", "middle", chart_.x_label);
    const double middle = legend_ + kTop + kPlotHeight / 2;
    text_ +=
        fmt::format("<text text-anchor=\"middle\" transform=\"translate(18 {:.1f}) rotate(-90)\">{}</text>\n",
                    middle, escaped(chart_.y_label));
  }

  std::string path(const std::vector<std::pair<double, double>>& points) const {
    std::string d;
    for (const auto& [x, y] : points) {
      if (!std::isfinite(x) || !std::isfinite(y)) continue;
      d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", x_of(x), y_of(y));
    }
    return d;
  }

  void draw_series(std::size_t index) {
    const Series& series = chart_.series[index];
    if (chart_.kind == Chart::Kind::kLines && series.points.size() > 1) {
      text_ += fmt::format("<path class=\"line {}\" d=\"{}\"/>\n", class_of(index), path(series.points));
      return;
    }
    const double width = kPlotWidth / std::max(1.0, static_cast<double>(chart_.categories.size())) * 0.8 /
                         static_cast<double>(chart_.series.size());
    for (const auto& [x, y] : series.points) {
      if (!std::isfinite(x) || !std::isfinite(y)) continue;
      if (bars()) {
        const double left =
            x_of(x) + width * (static_cast<double>(index) - static_cast<double>(chart_.series.size()) / 2);
        text_ += fmt::format(
            "<rect class=\"bar {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
            class_of(index), left, y_of(y), width, y_of(y_.low) - y_of(y));
      } else {
        text_ += fmt::format("<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>\n",
                             class_of(index), x_of(x), y_of(y));
      }
    }
  }

  void legend() {
    if (chart_.series.size() < 2) return;
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const double x = kLeft + kLegendColumn * static_cast<double>(i % legend_columns_);
      const std::size_t row = i / legend_columns_;
      const double y = kTop + kLegendRow * static_cast<double>(row);
      if (chart_.kind == Chart::Kind::kLines) {
        text_ += fmt::format("<path class=\"line {}\" d=\"M{:.1f} {:.1f}h26\"/>\n", class_of(i), x, y - 4);
      } else {
        text_ += fmt::format("<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>\n", class_of(i),
                             x + 13, y - 4);
      }
      label(x + 32, y, "", "start", chart_.series[i].name);
    }
  }

  const Chart& chart_;
  Axis x_, y_;
  double legend_ = 0.0;
  std::size_t legend_columns_ = 1;
  std::string text_;
};

}  // namespace

std::vector<double> nice_ticks(double low, double high, int wanted) {
  const double rough = (high - low) / std::max(wanted, 1);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10.0 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power < rough * (1.0 - 1e-9)) continue;
    step = factor * power;
    break;
  }
  std::vector<double> ticks;
  for (double n = std::ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1.0)
    ticks.push_back(n * step);
  return ticks;
}

std::string to_svg(const Chart& chart) {
  return Drawing(chart).draw();
}

}  // namespace capstan
