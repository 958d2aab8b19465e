// `capstan trace`: what every node of a running job does for some seconds, as a file for Perfetto.
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <ostream>
#include <set>

#include "cli/chrome_trace.h"
#include "cli/commands.h"
#include "cli/live_rows.h"
#include "cli/offline_job.h"
#include "common/adapters/disk_files.h"

namespace capstan {
namespace {

struct TraceOptions {
  LiveTarget live;
  double seconds = 5.0;
  std::string out = "trace.json";
};

std::string summary(const TraceReply& trace, const std::string& path) {
  std::size_t spans = 0;
  std::uint64_t dropped = 0;
  std::set<StepId> steps;
  for (const NodeTrace& node : trace.nodes) {
    spans += node.spans.size();
    dropped += node.dropped;
    for (const TraceSpan& span : node.spans) steps.insert(span.step);
  }
  std::string text = trace_table(trace);
  text += fmt::format("{}: {} spans of {} steps, {} nodes; open it in ui.perfetto.dev or chrome://tracing\n",
                      path, spans, steps.size(), trace.nodes.size());
  if (dropped > 0) text += fmt::format("{} more spans had no room: take fewer seconds\n", dropped);
  return text;
}

// What would keep the file from being written after the trace.
Status check_place(const std::string& out) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder = fs::absolute(out).parent_path();
  int reason = ::access(folder.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
  if (reason == 0 && fs::is_directory(out, error)) reason = EISDIR;
  if (reason == 0) return ok_status();
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("--out {} cannot be written: {}: {}. Make that folder, let this user write in "
                  "it, or name another file",
                  out, reason == EISDIR ? out : folder.string(), std::strerror(reason)));
}

int run(const TraceOptions& options, Console console) {
  if (const Status fits = check_place(options.out); !fits.ok()) return complain(fits.error(), console);
  const auto time =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(options.seconds));
  console.err << fmt::format("every node takes down what it does for {} s\n", options.seconds) << std::flush;
  const auto trace = fetch_trace(options.live, time);
  if (!trace.ok()) return complain(trace.error(), console);
  if (!trace->error.empty()) console.err << "warning: " << trace->error << "\n";
  const std::string text = chrome_trace(*trace);
  DiskFiles files;
  const Status written = files.publish(options.out, std::as_bytes(std::span(text)));
  if (!written.ok()) return complain(written.error(), console);
  console.out << summary(*trace, options.out);
  return kExitOk;
}

}  // namespace

void add_trace(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<TraceOptions>();
  CLI::App* command = app.add_subcommand(
      "trace", "Take down what every node of a running job does, step by step, as a file for Perfetto");
  add_live_target(*command, options->live);
  command->get_option("--scheduler")->required();
  command->get_option("--job")->required();
  constexpr double kLeast = 0.001, kMost = 60.0;
  command->add_option("--seconds", options->seconds, "For how long")
      ->check(CLI::Range(kLeast, kMost))
      ->capture_default_str();
  command->add_option("--out", options->out, "The file to write")->capture_default_str();
  command->footer("Example: capstan trace --seconds 5 --scheduler tcp://127.0.0.1:7000 --job movielens");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
