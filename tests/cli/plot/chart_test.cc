#include "cli/plot/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>

#include "cli/plot/report_charts.h"

namespace capstan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Chart lines(std::vector<Series> series) {
  Chart chart;
  chart.title = "A < B & \"C\"";
  chart.series = std::move(series);
  return chart;
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

// Every tag that opens closes again, in order.
bool well_formed(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z]+)([^<>]*?)(/?)>");
  for (std::sregex_iterator each(svg.begin(), svg.end(), tag), end; each != end; ++each) {
    const std::string name = (*each)[2];
    if ((*each)[4].length() > 0) continue;
    if ((*each)[1].length() == 0) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return false;
    } else {
      open.pop_back();
    }
  }
  return open.empty();
}

TEST(NiceTicks, AreRoundAndLieInside) {
  EXPECT_THAT(nice_ticks(0, 1, 5),
              ElementsAre(0, 0.2, testing::DoubleNear(0.4, 1e-9), testing::DoubleNear(0.6, 1e-9),
                          testing::DoubleNear(0.8, 1e-9), 1));
  EXPECT_THAT(nice_ticks(0.13, 0.47, 4),
              ElementsAre(testing::DoubleNear(0.2, 1e-9), testing::DoubleNear(0.3, 1e-9),
                          testing::DoubleNear(0.4, 1e-9)));
  EXPECT_THAT(nice_ticks(-3, 7000, 4), ElementsAre(0, 2000, 4000, 6000));
}

TEST(Chart, IsASvgThatFollowsTheColourScheme) {
  const std::string svg = to_svg(lines({{"first", {{1, 0.5}, {2, 0.25}}}, {"second", {{1, 0.4}, {2, 0.3}}}}));
  EXPECT_TRUE(well_formed(svg)) << svg;
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(svg, HasSubstr("A &lt; B &amp; &quot;C&quot;"));
  EXPECT_THAT(svg, HasSubstr("class=\"line s0\""));
  EXPECT_THAT(svg, HasSubstr("class=\"line s1\""));
  EXPECT_THAT(svg, HasSubstr(">second</text>"));
}

TEST(Chart, OneSeriesNeedsNoLegend) {
  EXPECT_THAT(to_svg(lines({{"alone", {{1, 0.5}, {2, 0.25}}}})), Not(HasSubstr("alone")));
}

TEST(Chart, PointsStandWhereTheirValuesAre) {
  Chart chart = lines({{"a", {{0, 0}, {1, 1}}}});
  chart.unit_square = true;
  EXPECT_THAT(to_svg(chart), HasSubstr("d=\"M72.0 384.0L696.0 52.0\""));  // the corners of the drawing
}

TEST(Chart, TheDiagonalStaysInsideTheDrawing) {
  Chart chart = lines({{"a", {{0.1, 0.2}, {0.3, 0.8}}}});
  chart.diagonal = true;
  const std::string svg = to_svg(chart);
  const std::regex guide("class=\"guide\" d=\"M([0-9.]+) ([0-9.]+)L([0-9.]+) ([0-9.]+)\"");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(svg, found, guide)) << svg;
  for (const int x : {1, 3}) EXPECT_TRUE(std::stod(found[x]) >= 72.0 && std::stod(found[x]) <= 696.0);
  for (const int y : {2, 4}) EXPECT_TRUE(std::stod(found[y]) >= 52.0 && std::stod(found[y]) <= 384.0);
}

TEST(Chart, WhatIsNoNumberIsLeftOutAndFlatLinesAreDrawn) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& points : std::vector<std::vector<std::pair<double, double>>>{
           {{1, nan}, {2, 0.5}, {3, 0.5}}, {{1, nan}}, {{0, 0}}, {{5, 3}, {5, 3}}}) {
    const std::string svg = to_svg(lines({{"a", points}}));
    EXPECT_TRUE(well_formed(svg)) << svg;
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

TEST(Chart, BarsStandSideBySide) {
  Chart chart = lines({{"a", {{0, 10}, {1, 20}}}, {"b", {{0, 5}, {1, 0}}}});
  chart.kind = Chart::Kind::kBars;
  chart.categories = {"0", "1-2"};
  const std::string svg = to_svg(chart);
  EXPECT_EQ(count(svg, "class=\"bar"), 4U);
  EXPECT_THAT(svg, HasSubstr(">1-2</text>"));
}

ReportFile report_of(const std::string& text) {
  return {"out/report.json", boost::json::parse(text).as_object()};
}

constexpr const char* kClicks =
    R"({"job": "clicks", "passes": [{"pass": 1, "loss": 0.6}, {"pass": 2, "loss": 0.5}],
  "validations": [{"pass": 1, "better": 0.7, "result": {"watched": "auc", "auc": 0.7}}],
  "staleness": [0, 30, 10, 0, 0],
  "test": {"model": {"protocol": "p", "auc": 0.75, "curves": {"roc": [[0, 0], [0.2, 0.7], [1, 1]],
    "precision_recall": [[0.7, 0.8], [1, 0.5]], "positives": 0.5,
    "reliability": [{"predicted": 0.2, "observed": 0.25, "examples": 9}]}}}})";
constexpr const char* kFilms = R"({"job": "films", "passes": [{"pass": 1, "loss": null}], "staleness": [],
  "test": {"model": {"protocol": "p", "ndcg@10": 0.12, "coverage@10": 0.3},
           "item_knn": {"protocol": "p", "ndcg@10": 0.11, "coverage@10": 0.4}}})";

std::vector<std::string> names_in(const std::vector<NamedChart>& charts) {
  std::vector<std::string> names;
  for (const NamedChart& each : charts) names.push_back(each.name);
  return names;
}

TEST(ReportCharts, AreThoseThatTheReportHasFiguresFor) {
  const auto clicks = charts_of({report_of(kClicks)});
  EXPECT_THAT(names_in(clicks),
              ElementsAre("loss", "validation", "roc", "precision_recall", "reliability", "staleness"));
  EXPECT_EQ(clicks[1].chart.y_label, "auc");
  EXPECT_EQ(clicks[2].chart.series[0].points[1], (std::pair{0.2, 0.7}));
  EXPECT_THAT(clicks[5].chart.categories, ElementsAre("0", "1", "2-3"));
  EXPECT_EQ(clicks[5].chart.series[0].points[1].second, 75.0);
  const auto films = charts_of({report_of(kFilms)});
  EXPECT_THAT(names_in(films), ElementsAre("loss", "trade_off"));
  ASSERT_EQ(films[1].chart.series.size(), 2U);
  EXPECT_EQ(films[1].chart.series[1].name, "item_knn");
  EXPECT_THAT(films[1].chart.x_label, HasSubstr("coverage@10"));
}

TEST(ReportCharts, ARerankedReportIsACurveOfItsSettings) {
  const auto charts = charts_of({report_of(R"({"job": "films", "steps": "mmr@genres", "rerank": [
    {"name": "model", "value": 1, "ndcg@5": 0.3, "distance@5": 0.6},
    {"name": "mmr 0", "value": 0, "ndcg@5": 0.1, "distance@5": 0.9},
    {"name": "mmr 1", "value": 1, "ndcg@5": 0.3, "distance@5": 0.6}]})")});
  ASSERT_THAT(names_in(charts), ElementsAre("diversity"));
  ASSERT_EQ(charts[0].chart.series.size(), 1U);
  EXPECT_EQ(charts[0].chart.series[0].name, "mmr@genres");
  ASSERT_EQ(charts[0].chart.series[0].points.size(), 2U);
  EXPECT_EQ(charts[0].chart.series[0].points[0], (std::pair{0.9, 0.1}));
  EXPECT_EQ(charts[0].chart.y_label, "ndcg@5");
}

TEST(ReportCharts, ReportsAreSeriesByTheirNames) {
  const auto both = charts_of({report_of(kClicks), report_of(kFilms)});
  ASSERT_EQ(both[0].chart.series.size(), 2U);
  EXPECT_EQ(both[0].chart.series[1].name, "films");
  ReportFile again = report_of(kClicks);
  again.path = "out/again.json";
  EXPECT_EQ(charts_of({report_of(kClicks), again})[0].chart.series[1].name, "out/again.json");
  EXPECT_EQ(charts_of({report_of(kFilms), report_of(kFilms)}).back().chart.series.size(),
            3U);  // one baseline
}

TEST(ReportCharts, WhatIsNoReportDrawsNothing) {
  EXPECT_TRUE(charts_of({report_of(R"({"job": 3, "passes": 7, "staleness": [null], "validations": [{}],
                                       "test": {"model": {"protocol": "p", "curves": [1]}}})")})
                  .empty());
}

}  // namespace
}  // namespace capstan
