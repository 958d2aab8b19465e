#include "cli/tune/tune_journal.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>

#include "common/text.h"
#include "scheduler/json.h"

namespace capstan {
namespace {

std::string line_of(const TrialOutcome& outcome) {
  json::object settings;
  for (const auto& [path, value] : outcome.settings) settings[path] = value;
  const json::object object = {{"trial", outcome.trial},
                               {"rung", outcome.rung},
                               {"passes", outcome.passes},
                               {"settings", settings},
                               {"better", json_number(outcome.better)},
                               {"value", json_number(outcome.value)},
                               {"best_pass", outcome.best_pass},
                               {"seconds", outcome.seconds},
                               {"failed", outcome.failed}};
  return json::serialize(object) + "\n";
}

Result<TrialOutcome> outcome_of(std::string_view line) {
  CAPSTAN_ASSIGN(const json::object object, parse_json_object(line));
  JsonReader in(object);
  TrialOutcome outcome;
  in.unsigned_of("trial", outcome.trial);
  in.unsigned_of("rung", outcome.rung);
  in.unsigned_of("passes", outcome.passes);
  in.real_of("better", outcome.better);
  in.real_of("value", outcome.value);
  in.unsigned_of("best_pass", outcome.best_pass);
  in.real_of("seconds", outcome.seconds);
  in.text_of("failed", outcome.failed);
  const json::object* settings = nullptr;
  in.object_of("settings", settings);
  CAPSTAN_TRY(in.status());
  for (const auto& [path, value] : *settings) {
    if (!value.is_string()) return make_error(ErrorCode::kCorrupt, "a setting that is no text");
    outcome.settings.emplace_back(std::string(path), std::string(value.get_string()));
  }
  return outcome;
}

}  // namespace

Result<TuneJournal> TuneJournal::open(Storage& storage, const std::string& path, const std::string& key) {
  TuneJournal journal;
  const std::string first = json::serialize(json::object{{"tune", key}}) + "\n";
  const auto there = storage.read(path);
  if (!there.ok() && there.error().code != ErrorCode::kNotFound) return there.error();
  std::string kept = first;
  if (there.ok() && there->text().find('\n') != std::string_view::npos) {
    auto lines = split_text(there->text(), "\n");
    lines.pop_back();  // empty, or cut off
    if (std::string(lines.front()) + "\n" != first) {
      return make_error(
          ErrorCode::kInvalid,
          fmt::format("{} is of another job, space, seed or other rungs: name another folder with "
                      "--out, or remove that one to begin anew",
                      path));
    }
    for (std::size_t i = 1; i < lines.size(); ++i) {
      auto outcome = outcome_of(lines[i]);
      if (!outcome.ok()) return outcome.error().wrap(fmt::format("{}:{}", path, i + 1));
      kept += std::string(lines[i]) + "\n";
      journal.outcomes_.push_back(std::move(outcome).value());
    }
  }
  if (!there.ok() || there->text() != kept)
    CAPSTAN_TRY(storage.publish(path, std::as_bytes(std::span(kept))));
  CAPSTAN_ASSIGN(journal.file_, storage.open_append(path));
  return journal;
}

Status TuneJournal::append(TrialOutcome outcome) {
  const std::string line = line_of(outcome);
  outcomes_.push_back(std::move(outcome));
  CAPSTAN_TRY(file_->append(std::as_bytes(std::span(line))));
  return file_->sync();
}

}  // namespace capstan
