#include "ps/server_stats.h"

#include <boost/json.hpp>

namespace capstan {

std::string to_json_text(const ServerStats& stats) {
  const ShardStats& shards = stats.shards;
  boost::json::object json;
  json["pushes_applied"] = shards.pushes_applied;
  json["pushes_duplicate"] = shards.pushes_duplicate;
  json["pushes_fenced"] = shards.pushes_fenced;
  json["pushes_gap"] = shards.pushes_gap;
  json["pushes_refused"] = shards.pushes_refused;
  json["rows_pulled"] = shards.rows_pulled;
  json["rows_pushed"] = shards.rows_pushed;
  json["rows_evicted"] = shards.rows_evicted;
  json["rows_evicted_for_memory"] = shards.rows_squeezed;
  json["rows_not_admitted"] = shards.rows_not_admitted;
  json["rows"] = shards.rows;
  json["bytes"] = shards.bytes;
  json["fixed_bytes"] = shards.fixed_bytes;
  json["over_memory_limit"] = stats.over_memory_limit;
  json["copies_served"] = stats.copies_served;
  json["learner_backlog"] = stats.learner_backlog;
  json["lessons_begun_anew"] = stats.lessons_begun_anew;
  json["staleness"] = boost::json::array(shards.staleness.begin(), shards.staleness.end());
  json["map"] = {{"version", stats.map_version}};  // an object: nothing to add up
  if (!stats.no_answer_from.empty()) json["no_answer_from"] = stats.no_answer_from;
  if (!stats.slowest_copy.empty()) {
    json["slowest_copy"] = {{"node", stats.slowest_copy}, {"ms", stats.slowest_copy_ms}};
  }
  boost::json::array hot;
  for (const HotKeys::Hot& each : stats.hot_keys) {
    hot.push_back({{"table", stats.tables[each.table].name},
                   {"key", each.key},
                   {"rows_per_second", each.rows_per_second}});
  }
  if (!hot.empty()) json["hot"] = {{"keys", std::move(hot)}};  // an object: nothing to add up
  boost::json::object reasons;
  for (const auto& [reason, count] : stats.refused) reasons[reason] = count;
  json["refused"] = reasons;
  return boost::json::serialize(json);
}

}  // namespace capstan
