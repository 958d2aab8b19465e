// `capstan compare`: reports against each other, user by user or example by example.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/offline_job.h"
#include "cli/report_file.h"
#include "common/text.h"
#include "common/units.h"
#include "worker/eval/compare_values.h"

namespace capstan {
namespace {

namespace json = boost::json;

struct CompareOptions {
  std::vector<std::string> reports;
  std::vector<std::string> metrics;
  std::string out;
  BootstrapOptions bootstrap{.samples = 2000};
};

struct Side {
  std::string letter;  // "A"
  std::string model;
  ReportFile report;
  KeptValues values;

  const json::object& figures() const { return *report.figures(model); }
};

struct Pair {
  const Side *a, *b;
};

// "out/report.json" or "out/report.json:item_knn".
Result<Side> open_side(const std::string& argument, std::size_t index) {
  const auto colon = argument.rfind(':');
  const bool named = colon != std::string::npos && argument.find('/', colon) == std::string::npos &&
                     argument.substr(0, colon).ends_with(".json");
  Side side;
  side.letter = std::string(1, static_cast<char>('A' + index));
  side.model = named ? argument.substr(colon + 1) : "model";
  CAPSTAN_ASSIGN(side.report, read_report(named ? argument.substr(0, colon) : argument));
  const auto models = side.report.models();
  if (models.empty())
    return make_error(ErrorCode::kInvalid, side.report.path + ": there are no figures of the test part");
  if (side.report.figures(side.model) == nullptr) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{}: no figures of '{}'{}; there are {}", side.report.path, side.model,
                                  suggestion(side.model, models), join(models, ", ")));
  }
  CAPSTAN_ASSIGN(side.values, side.report.values());
  return side;
}

std::string text_at(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr     ? ""
         : value->is_string() ? std::string(value->get_string())
                              : json::serialize(*value);
}

Status check_protocol(const Pair& pair) {
  for (const char* key : {"protocol", "users", "examples", "test_items"}) {
    const std::string a = text_at(pair.a->figures(), key), b = text_at(pair.b->figures(), key);
    if (a == b) continue;
    return make_error(ErrorCode::kInvalid, fmt::format("{} and {} cannot be compared: {} \"{}\" and \"{}\"",
                                                       pair.a->report.path, pair.b->report.path, key, a, b));
  }
  return ok_status();
}

// Those of both sides that are asked for; kInvalid for a word that is none of them.
Result<std::vector<std::string>> metrics_of(const Pair& pair, const std::vector<std::string>& asked) {
  std::vector<std::string> reported;
  for (const auto& [name, value] : pair.a->figures()) {
    if (value.is_number() && pair.b->figures().contains(name))
      reported.emplace_back(name.data(), name.size());
  }
  const auto all = comparable_metrics(pair.a->values, pair.a->model, pair.b->values, pair.b->model, reported);
  if (all.empty()) return make_error(ErrorCode::kInvalid, "the two reports have no such metric in common");
  for (const std::string& metric : asked) {
    if (std::find(all.begin(), all.end(), metric) != all.end()) continue;
    return make_error(ErrorCode::kInvalid, fmt::format("--metric {}: not kept of both{}; there are {}",
                                                       metric, suggestion(metric, all), join(all, ", ")));
  }
  return asked.empty() ? all : asked;
}

std::string p_text(double p) {
  return p >= 1e-4 ? fmt::format("{:.4f}", p) : p >= 1e-99 ? fmt::format("{:.1e}", p) : "<1e-99";
}

std::string row_text(const Pair& pair, const ComparedMetric& row) {
  const std::string interval = fmt::format("{:+.5f} to {:+.5f}", row.difference.low, row.difference.high);
  return fmt::format("  {:5}  {:14} {:>9.5f} {:>9.5f} {:>+10.5f}  {:22} {:>8} {:>8} {:>9} {:>8}\n",
                     pair.a->letter + " - " + pair.b->letter, row.metric, row.a, row.b,
                     row.difference.estimate, interval, p_text(row.mean_test.p), p_text(row.mean_corrected),
                     row.wilcoxon ? p_text(row.wilcoxon->p) : "-",
                     row.wilcoxon ? p_text(row.wilcoxon_corrected) : "-");
}

std::string verdict(const std::vector<Pair>& pairs, const std::vector<ComparedMetric>& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].differs()) continue;
    const bool a_is_better = (rows[i].difference.estimate > 0.0) == rows[i].higher_is_better;
    const Pair& pair = pairs[i];
    text += fmt::format("{} {} better than {} by {}", text.empty() ? "" : ";",
                        (a_is_better ? pair.a : pair.b)->letter, (a_is_better ? pair.b : pair.a)->letter,
                        rows[i].metric);
  }
  text = text.empty() ? "  No difference stands at 5 % after Holm's correction.\n"
                      : fmt::format("  At 5 %, corrected:{}.\n", text);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].contradicts()) continue;
    text += fmt::format(
        "  {} - {}, {}: the mean and most pairs point opposite ways, so a few pairs weigh much.\n",
        pairs[i].a->letter, pairs[i].b->letter, rows[i].metric);
  }
  return text;
}

std::string table(const std::vector<Side>& sides, const std::vector<Pair>& pairs,
                  const std::vector<ComparedMetric>& rows, const BootstrapOptions& bootstrap) {
  std::string text;
  for (const Side& side : sides) {
    text += fmt::format("{}  {}: job {}, {}\n", side.letter, side.report.path, side.report.job(), side.model);
  }
  const bool users = !sides.front().values.users.empty();
  text += fmt::format("test: {}, {} {}\n\n", text_at(sides.front().figures(), "protocol"), rows.front().pairs,
                      users ? "users" : "examples");
  text += fmt::format("  {:5}  {:14} {:>9} {:>9} {:>10}  {:22} {:>8} {:>8} {:>9} {:>8}\n", "pair", "metric",
                      "first", "second", "difference",
                      fmt::format("{:g} % bootstrap", 100 * bootstrap.confidence), "p of t", "Holm",
                      "Wilcoxon", "Holm");
  bool has_auc = false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += row_text(pairs[i], rows[i]);
    has_auc = has_auc || !rows[i].wilcoxon;
  }
  text += fmt::format("\n  {} tests of each kind; Holm's p is corrected for that.{}\n", rows.size(),
                      has_auc ? " Of auc the p is DeLong's." : "");
  text += verdict(pairs, rows);
  text += "  This says how far it depends on which " + std::string(users ? "users" : "examples") +
          " were drawn, nothing of other seeds or splits.\n";
  return text;
}

json::value test_json(const std::optional<TestResult>& test, double corrected) {
  if (!test) return nullptr;
  const json::value statistic =
      std::isfinite(test->statistic) ? json::value(test->statistic) : json::value(nullptr);
  return {{"statistic", statistic}, {"p", test->p}, {"holm", corrected}};
}

std::string to_json(const std::vector<Side>& sides, const std::vector<Pair>& pairs,
                    const std::vector<ComparedMetric>& rows, const BootstrapOptions& bootstrap) {
  json::array reports, compared;
  for (const Side& side : sides) {
    reports.push_back({{"name", side.letter},
                       {"report", side.report.path},
                       {"job", side.report.job()},
                       {"model", side.model}});
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ComparedMetric& row = rows[i];
    compared.push_back({{"first", pairs[i].a->letter},
                        {"second", pairs[i].b->letter},
                        {"metric", row.metric},
                        {"pairs", row.pairs},
                        {"first_value", row.a},
                        {"second_value", row.b},
                        {"difference", row.difference.estimate},
                        {"low", row.difference.low},
                        {"high", row.difference.high},
                        {row.metric == "auc" ? "delong" : "t", test_json(row.mean_test, row.mean_corrected)},
                        {"wilcoxon", test_json(row.wilcoxon, row.wilcoxon_corrected)},
                        {"differs", row.differs()}});
  }
  const json::object all = {{"protocol", text_at(sides.front().figures(), "protocol")},
                            {"reports", reports},
                            {"bootstrap_samples", bootstrap.samples},
                            {"confidence", bootstrap.confidence},
                            {"compared", compared}};
  return json::serialize(all) + "\n";
}

Status run(const CompareOptions& options, Console console) {
  std::vector<Side> sides;
  for (const std::string& argument : options.reports) {
    CAPSTAN_ASSIGN(Side side, open_side(argument, sides.size()));
    sides.push_back(std::move(side));
  }
  std::vector<Pair> pairs;
  std::vector<ComparedMetric> rows;
  for (std::size_t a = 0; a < sides.size(); ++a) {
    for (std::size_t b = a + 1; b < sides.size(); ++b) {
      const Pair pair{&sides[a], &sides[b]};
      CAPSTAN_TRY(check_protocol(pair));
      CAPSTAN_ASSIGN(const auto metrics, metrics_of(pair, options.metrics));
      for (const std::string& metric : metrics) {
        auto row = compare_metric(pair.a->values, pair.a->model, pair.b->values, pair.b->model, metric,
                                  options.bootstrap);
        if (!row.ok())
          return row.error().wrap(fmt::format("{} and {}", pair.a->report.path, pair.b->report.path));
        pairs.push_back(pair);
        rows.push_back(std::move(row).value());
      }
    }
  }
  correct(rows);
  console.out << table(sides, pairs, rows, options.bootstrap);
  if (options.out.empty()) return ok_status();
  AnyStorage files;
  const std::string bytes = to_json(sides, pairs, rows, options.bootstrap);
  return files.publish(options.out, std::as_bytes(std::span(bytes)));
}

}  // namespace

void add_compare(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare", "Reports against each other: paired bootstrap, t, Wilcoxon, corrected by Holm");
  command
      ->add_option("reports", options->reports,
                   "Reports of `run` or `eval`, with the .values.npz beside them; REPORT.json:NAME takes a "
                   "baseline's figures")
      ->required()
      ->expected(2, 26);
  command->add_option("--metric", options->metrics, "Only this one, such as ndcg@10 (may be repeated)")
      ->allow_extra_args(false);
  command->add_option("--bootstrap", options->bootstrap.samples, "Resamplings for the interval")
      ->check(CLI::Range(1U, 1000000U))
      ->capture_default_str();
  command->add_option("--confidence", options->bootstrap.confidence, "Of the interval")
      ->check(CLI::Range(0.01, 0.9999))
      ->capture_default_str();
  command->add_option("--seed", options->bootstrap.seed, "Of the resamplings")->capture_default_str();
  command->add_option("--out", options->out, "Write the comparison (JSON) here");
  command->footer(
      "Examples:\n"
      "  capstan compare out/mf/report.json out/neumf/report.json\n"
      "  capstan compare out/mf/report.json out/mf/report.json:item_knn --metric ndcg@10");
  command->callback([options, console, &exit_code] {
    const Status done = run(*options, console);
    exit_code = done.ok() ? kExitOk : complain(done.error(), console);
  });
}

}  // namespace capstan
