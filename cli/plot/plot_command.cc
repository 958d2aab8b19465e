// `capstan plot`: charts of reports as SVG files.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/offline_job.h"
#include "cli/plot/report_charts.h"
#include "common/adapters/disk_files.h"
#include "common/text.h"

namespace capstan {
namespace {

struct PlotArgs {
  std::vector<std::string> reports;
  std::vector<std::string> charts;  // empty: all
  std::string folder;
};

std::string default_folder(const std::string& report) {
  const auto parent = std::filesystem::path(report).parent_path();
  return (parent / "plots").string();
}

Status plot(const PlotArgs& args, Console console) {
  std::vector<ReportFile> reports;
  for (const std::string& path : args.reports) {
    CAPSTAN_ASSIGN(ReportFile report, read_report(path));
    reports.push_back(std::move(report));
  }
  const auto charts = charts_of(reports);
  const std::string folder = args.folder.empty() ? default_folder(args.reports.front()) : args.folder;
  DiskFiles files;
  CAPSTAN_TRY(files.create_dirs(folder));
  std::vector<std::string> missing;
  for (const std::string& name : args.charts.empty() ? chart_names() : args.charts) {
    const auto found =
        std::find_if(charts.begin(), charts.end(), [&](const NamedChart& each) { return each.name == name; });
    if (found == charts.end()) {
      missing.push_back(name);
      continue;
    }
    const std::string path = fmt::format("{}/{}.svg", folder, name);
    const std::string svg = to_svg(found->chart);
    CAPSTAN_TRY(files.publish(path, std::as_bytes(std::span(svg))));
    console.out << "wrote " << path << "\n";
  }
  if (missing.empty()) return ok_status();
  const std::string words =
      fmt::format("no figures for {} in {}", join(missing, ", "), join(args.reports, ", "));
  if (!args.charts.empty()) return make_error(ErrorCode::kInvalid, words);
  console.out << words << "\n";
  return ok_status();
}

}  // namespace

void add_plot(CLI::App& app, Console console, int& exit_code) {
  auto args = std::make_shared<PlotArgs>();
  CLI::App* command =
      app.add_subcommand("plot", "Draw reports as SVG: loss, ROC, reliability, staleness, ...");
  command->add_option("reports", args->reports, "Reports of `run`; several are drawn into the same charts")
      ->required();
  command->add_option("--chart", args->charts, "Only this one (may be repeated)")
      ->allow_extra_args(false)
      ->check(CLI::IsMember(chart_names()));
  command->add_option("--out", args->folder,
                      "The folder to write to. Default: `plots` beside the first report");
  command->footer(
      "Examples:\n"
      "  capstan plot out/ctr_deepfm/report.json\n"
      "  capstan plot out/mf/report.json out/neumf/report.json --chart loss --out out/plots");
  command->callback([args, console, &exit_code] {
    const Status done = plot(*args, console);
    exit_code = done.ok() ? kExitOk : complain(done.error(), console);
  });
}

}  // namespace capstan
