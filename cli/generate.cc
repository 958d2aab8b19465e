// `capstan generate`: data with a planted truth, for tests, benchmarks and tables of any size.
#include "worker/data/generate.h"

#include <spdlog/fmt/fmt.h>

#include <map>
#include <memory>
#include <ostream>

#include "cli/commands.h"

namespace capstan {
namespace {

int run_generate(const GenerateOptions& options, Console console) {
  const auto summary = generate(options);
  if (!summary.ok()) {
    console.err << fmt::format("capstan: {}\n", summary.error().message);
    return summary.error().code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
  }
  console.out << summary.value().text;
  if (!summary.value().text.ends_with('\n')) console.out << '\n';
  for (const std::string& file : summary.value().files) console.out << "wrote " << file << '\n';
  return kExitOk;
}

// "-5" would become a number near 2^64.
CLI::Validator whole_number() {
  const auto not_negative = [](const std::string& text) {
    return text.starts_with('-') ? fmt::format("must not be negative, but is {}", text) : "";
  };
  return {not_negative, ""};
}

void add_truth_options(CLI::App& command, GenerateOptions& options) {
  const std::string truth = "The planted truth";
  command.add_option("--skew", options.skew, "Rank r is drawn in proportion to r^-skew")->group(truth);
  command.add_option("--drift", options.drift, "How far the truth has moved at the end; 0: not at all")
      ->group(truth);
  command.add_option("--factors", options.factors, "ctr, ratings: length of the planted vectors")
      ->group(truth)
      ->check(whole_number());
  command.add_option("--linear-scale", options.linear_scale, "ctr, libsvm: deviation of the linear part")
      ->group(truth);
  command.add_option("--pair-scale", options.pair_scale, "ctr: deviation of the pairwise part")->group(truth);
  command.add_option("--bias", options.bias, "ctr, libsvm: of the logit")->group(truth);
}

void add_size_options(CLI::App& command, GenerateOptions& options) {
  const auto add = [&](const char* name, auto& value, const char* text) {
    command.add_option(name, value, text)->group("Size")->check(whole_number());
  };
  add("--rows", options.rows, "Training rows; ratings: events, about");
  add("--test-rows", options.test_rows, "ctr, libsvm: test rows");
  add("--fields", options.fields, "ctr: columns");
  add("--values", options.values, "ctr: distinct values of a column");
  add("--users", options.users, "ratings: users");
  add("--items", options.items, "ratings: items");
  add("--features", options.features, "libsvm: features");
  add("--features-per-row", options.features_per_row, "libsvm: features of a row");
}

}  // namespace

void add_generate(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* command =
      app.add_subcommand("generate", "Write data with a planted truth, and print the best AUC there is");
  const std::map<std::string, GenerateKind> kinds = {
      {"ctr", GenerateKind::kCtr}, {"ratings", GenerateKind::kRatings}, {"libsvm", GenerateKind::kLibsvm}};
  command
      ->add_option("kind", options->kind, "ctr: csv with a click label; ratings: a MovieLens folder; libsvm")
      ->required()
      ->transform(CLI::Validator(
          [kinds](std::string& text) {
            const auto kind = kinds.find(text);
            if (kind == kinds.end()) return fmt::format("'{}' is not one of ctr, ratings, libsvm", text);
            text = std::to_string(static_cast<int>(kind->second));
            return std::string();
          },
          "{ctr,ratings,libsvm}"));
  command->add_option("--out", options->out_dir, "The folder to write to")->required();
  command->add_option("--seed", options->seed, "The same options and seed give the same files")
      ->check(whole_number());
  add_size_options(*command, *options);
  add_truth_options(*command, *options);
  for (CLI::Option* option : command->get_options()) {
    if (option->get_name() != "kind" && option->get_name() != "--out") option->capture_default_str();
  }
  command->footer(
      "Examples:\n"
      "  capstan generate ctr --out data/ctr\n"
      "  capstan generate ctr --rows 100000 --fields 10 --seed 7 --out out/small\n"
      "  capstan generate ratings --users 5000 --items 2000 --rows 500000 --out out/ratings");
  command->callback([options, console, &exit_code] { exit_code = run_generate(*options, console); });
}

}  // namespace capstan
