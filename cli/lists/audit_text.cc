#include "cli/lists/audit_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <sstream>

namespace capstan {
namespace {

namespace json = boost::json;

std::string range(const Interval& interval) {
  return fmt::format("{:+.4f} ({:+.4f} to {:+.4f})", interval.estimate, interval.low, interval.high);
}

std::string share(const Interval& interval) {
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", interval.estimate, interval.low, interval.high);
}

json::object interval_json(const Interval& interval) {
  return {{"estimate", interval.estimate}, {"low", interval.low}, {"high", interval.high}};
}

std::size_t widest(std::size_t width, const std::string& name) {
  return std::max(width, name.size());
}

std::string users_text(const UserAudit& audit) {
  std::size_t width = 5;
  for (const GroupFigure& group : audit.groups) width = widest(width, group.name);
  std::string text = fmt::format("\nusers by {}: {}\n  {:{}}{:>8}{:>10}   against all others (95 %)\n",
                                 audit.column, audit.metric, "", width, "users", "mean");
  for (const GroupFigure& group : audit.groups) {
    const bool differs = group.difference.low > 0.0 || group.difference.high < 0.0;
    text += fmt::format("  {:{}}{:>8}{:>10.4f}   {}{}\n", group.name, width, group.users, group.mean.estimate,
                        range(group.difference), differs ? "  *" : "");
  }
  if (audit.unfairness.empty()) return text;
  text += fmt::format(
      "  unfairness of ratings, in brackets what groups dealt out at random would have\n  {:{}}{:>8}"
      "{:>17}{:>17}{:>17}{:>17}\n",
      "", width, "items", "value", "absolute", "under", "over");
  for (std::size_t i = 0; i < audit.groups.size(); ++i) {
    const UnfairnessIntervals& each = audit.unfairness[i];
    const auto cell = [](const Interval& found, double chance) {
      return fmt::format("{:.3f} ({:.3f})", found.estimate, chance);
    };
    text += fmt::format("  {:{}}{:>8}{:>17}{:>17}{:>17}{:>17}\n", audit.groups[i].name, width, each.items,
                        cell(each.value, each.by_chance.value), cell(each.absolute, each.by_chance.absolute),
                        cell(each.under, each.by_chance.under), cell(each.over, each.by_chance.over));
  }
  return text;
}

std::string items_text(const ItemAudit& audit) {
  std::size_t width = 5;
  for (const ExposureFigure& group : audit.groups) width = widest(width, audit.names[group.group]);
  std::string text = fmt::format("\nitems by {}: exposure in the lists\n  {:{}}{:>10}{:>10}   ratio (95 %)\n",
                                 audit.column, "", width, "events", "exposure");
  for (const ExposureFigure& group : audit.groups) {
    text += fmt::format("  {:{}}{:>8.1f} %{:>8.1f} %   {}\n", audit.names[group.group], width,
                        100.0 * group.share_of_events, 100.0 * group.share_of_exposure, share(group.ratio));
  }
  return text +
         "  ratio: share of the exposure over share of the training events; 1 is as much as users gave\n";
}

json::object user_json(const UserAudit& audit) {
  json::array groups;
  for (std::size_t i = 0; i < audit.groups.size(); ++i) {
    const GroupFigure& group = audit.groups[i];
    json::object figures = {{"group", group.name},
                            {"users", group.users},
                            {"mean", interval_json(group.mean)},
                            {"difference", interval_json(group.difference)}};
    if (!audit.unfairness.empty()) {
      const UnfairnessIntervals& each = audit.unfairness[i];
      figures["unfairness"] = {{"items", each.items},
                               {"value", interval_json(each.value)},
                               {"absolute", interval_json(each.absolute)},
                               {"under", interval_json(each.under)},
                               {"over", interval_json(each.over)},
                               {"by_chance",
                                {{"value", each.by_chance.value},
                                 {"absolute", each.by_chance.absolute},
                                 {"under", each.by_chance.under},
                                 {"over", each.by_chance.over}}}};
    }
    groups.push_back(std::move(figures));
  }
  return {{"column", audit.column}, {"metric", audit.metric}, {"groups", std::move(groups)}};
}

}  // namespace

std::vector<std::string> category_names(const std::vector<std::string>& texts, char separator) {
  std::set<std::string> names;
  for (const std::string& text : texts) {
    std::istringstream parts(text);
    for (std::string name; std::getline(parts, name, separator);) {
      if (!name.empty()) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

std::string audit_text(const Audit& audit) {
  std::string text = fmt::format("checkpoint {}\ntest: {}\n", audit.checkpoint, audit.protocol);
  for (const UserAudit& each : audit.users) text += users_text(each);
  if (!audit.users.empty())
    text +=
        "  *: the interval leaves out 0. With many groups some do by chance; the intervals are not "
        "corrected.\n";
  for (const ItemAudit& each : audit.items) text += items_text(each);
  return text;
}

std::string audit_json(const Audit& audit) {
  json::array users, items;
  for (const UserAudit& each : audit.users) users.push_back(user_json(each));
  for (const ItemAudit& each : audit.items) {
    json::array groups;
    for (const ExposureFigure& group : each.groups) {
      groups.push_back({{"group", each.names[group.group]},
                        {"share_of_events", group.share_of_events},
                        {"share_of_exposure", group.share_of_exposure},
                        {"ratio", interval_json(group.ratio)}});
    }
    items.push_back(json::object{{"column", each.column}, {"groups", std::move(groups)}});
  }
  const json::object report = {{"job", audit.job},
                               {"checkpoint", audit.checkpoint},
                               {"protocol", audit.protocol},
                               {"users", std::move(users)},
                               {"items", std::move(items)}};
  return json::serialize(report) + "\n";
}

}  // namespace capstan
