#include "cli/status_page.h"

#include <spdlog/fmt/fmt.h>

#include "cli/progress_view.h"

namespace capstan {
namespace {

namespace json = boost::json;

std::string text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return std::string(value->as_string());
  if (value->is_double()) return fmt::format("{:.4g}", value->as_double());
  return json::serialize(*value);
}

double number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0.0;
}

std::string job_lines(const json::object& status) {
  std::string lines = fmt::format("job {}: {}", text(status, "job"), text(status, "state"));
  if (const std::string waits = text(status, "waits_for"); waits != "-" && !waits.empty())
    lines += ", " + waits;
  const bool trains = text(status, "state") == "running";
  lines +=
      fmt::format("\npass {} of {}{}; {} examples/s, loss {}, {} steps\n", number(status, "pass"),
                  number(status, "passes"),
                  trains ? fmt::format(", {:.0f} % of it", 100 * number(status, "fraction_of_pass")) : "",
                  short_number(number(status, "examples_per_second")), text(status, "loss"),
                  short_number(number(status, "steps")));
  return lines;
}

std::string node_lines(const json::array& nodes) {
  std::string lines = fmt::format("\n{:14} {:8} {:8} {:>7} {:>7} {:>10} {:>10}  {}\n", "node", "role",
                                  "alive", "shards", "copies", "rows", "memory", "address");
  for (const auto& value : nodes) {
    const auto& node = value.as_object();
    const bool server = text(node, "role") == "server";
    const bool drains = text(node, "draining") == "true";
    const bool alive = text(node, "alive") == "true";
    lines += fmt::format(
        "{:14} {:8} {:8} {:>7} {:>7} {:>10} {:>10}  {}\n", text(node, "name"), text(node, "role"),
        alive    ? drains ? "drains" : "yes"
        : drains ? "left"
                 : "no",
        server ? text(node, "shards") : "-", server ? text(node, "copies") : "-",
        server ? short_number(number(node, "rows")) : "-",
        server ? fmt::format("{:.1f}MiB", number(node, "bytes") / (1 << 20)) : "-", text(node, "endpoint"));
  }
  return lines;
}

// Links that are cut, or so slow that it comes to the same.
std::string silence_lines(const json::array& nodes) {
  std::string lines;
  for (const auto& value : nodes) {
    const auto& node = value.as_object();
    const auto* stats = node.if_contains("stats");
    const std::string silent = stats == nullptr ? "-" : text(stats->as_object(), "no_answer_from");
    if (silent != "-") lines += fmt::format("{} gets no answer from {}\n", text(node, "name"), silent);
  }
  return lines;
}

// What slows everybody down who pushes to their shards.
std::string slow_copy_lines(const json::array& nodes) {
  constexpr double kWorthSaying = 200;
  std::string lines;
  for (const auto& value : nodes) {
    const auto& node = value.as_object();
    const auto* stats = node.if_contains("stats");
    const auto* slowest = stats == nullptr ? nullptr : stats->as_object().if_contains("slowest_copy");
    if (slowest == nullptr || number(slowest->as_object(), "ms") < kWorthSaying) continue;
    lines += fmt::format("{} waits up to {:.1f} s for its copies at {}\n", text(node, "name"),
                         number(slowest->as_object(), "ms") / 1000, text(slowest->as_object(), "node"));
  }
  return lines;
}

std::string move_lines(const json::array& moves) {
  std::string lines;
  if (!moves.empty()) lines = fmt::format("\n{:>6} {:14} {:14} {}\n", "shard", "from", "to", "move");
  for (const auto& value : moves) {
    const auto& move = value.as_object();
    const std::string from = text(move, "from");
    lines += fmt::format("{:>6} {:14} {:14} {}\n", text(move, "shard"), from.empty() ? "-" : from,
                         text(move, "to"), text(move, "stage"));
  }
  return lines;
}

std::string partition_lines(const json::array& partitions) {
  std::string lines =
      fmt::format("\n{:10} {:14} {:>9} {:14} {}\n", "work", "part", "partition", "holder", "batches");
  for (const auto& value : partitions) {
    const auto& part = value.as_object();
    const bool done = text(part, "done") == "true";
    const std::string from =
        number(part, "first") > 0 ? fmt::format("from {}: ", text(part, "first")) : std::string();
    lines += fmt::format("{:10} {:14} {:>9} {:14} {}{} of {}{}\n", text(part, "kind"), text(part, "name"),
                         text(part, "partition"), text(part, "holder"), from, text(part, "watermark"),
                         text(part, "end"), done ? ", done" : "");
  }
  return lines;
}

std::string hot_lines(const json::object& status) {
  const auto* hot = status.if_contains("hot_shards");
  if (hot == nullptr || hot->as_array().empty()) return "";
  std::string lines = "\nmost asked for:";
  for (const auto& value : hot->as_array()) {
    const auto& shard = value.as_object();
    lines +=
        fmt::format("{} shard {} at {} ({} rows/s)", lines.back() == ':' ? "" : ",", text(shard, "shard"),
                    text(shard, "node"), short_number(number(shard, "rows_per_second")));
  }
  return lines + "\n";
}

std::string hot_key_lines(const json::object& status) {
  const auto* hot = status.if_contains("hot_keys");
  if (hot == nullptr || hot->as_array().empty()) return "";
  std::string lines = "\nrows that are pulled most, of the last seconds\n";
  for (const auto& value : hot->as_array()) {
    const auto& key = value.as_object();
    lines += fmt::format("  {:20} {:>20}  at {:10} {:>8} a second\n", text(key, "table"), text(key, "key"),
                         text(key, "node"), short_number(number(key, "rows_per_second")));
  }
  return lines;
}

}  // namespace

std::string status_page(const json::object& status) {
  const json::array& nodes = status.at("nodes").as_array();
  std::string page = job_lines(status) + node_lines(nodes) + silence_lines(nodes) + slow_copy_lines(nodes) +
                     move_lines(status.at("moves").as_array()) + hot_lines(status) + hot_key_lines(status) +
                     partition_lines(status.at("partitions").as_array());
  page += fmt::format("\nstaleness (pushes between pull and push: 0, 1, 2-3, 4-7, ...): {}\n",
                      text(status, "staleness"));
  for (const auto& warning : status.at("warnings").as_array()) {
    page += fmt::format("warning: {}\n", std::string_view(warning.as_string()));
  }
  return page;
}

}  // namespace capstan
