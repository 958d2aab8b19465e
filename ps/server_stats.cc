#include "ps/server_stats.h"

#include <boost/json.hpp>

namespace capstan {

std::string stats_to_json(const ShardStats& stats, const std::map<std::string, std::uint64_t>& refused,
                          std::uint64_t map_version, std::uint64_t over_memory_limit,
                          const std::string& no_answer_from) {
  boost::json::object json;
  json["pushes_applied"] = stats.pushes_applied;
  json["pushes_duplicate"] = stats.pushes_duplicate;
  json["pushes_fenced"] = stats.pushes_fenced;
  json["pushes_gap"] = stats.pushes_gap;
  json["pushes_refused"] = stats.pushes_refused;
  json["rows_pulled"] = stats.rows_pulled;
  json["rows_pushed"] = stats.rows_pushed;
  json["rows_evicted"] = stats.rows_evicted;
  json["rows_not_admitted"] = stats.rows_not_admitted;
  json["rows"] = stats.rows;
  json["bytes"] = stats.bytes;
  json["fixed_bytes"] = stats.fixed_bytes;
  json["over_memory_limit"] = over_memory_limit;
  json["staleness"] = boost::json::array(stats.staleness.begin(), stats.staleness.end());
  json["map"] = {{"version", map_version}};  // an object: nothing to add up
  if (!no_answer_from.empty()) json["no_answer_from"] = no_answer_from;
  boost::json::object reasons;
  for (const auto& [reason, count] : refused) reasons[reason] = count;
  json["refused"] = reasons;
  return boost::json::serialize(json);
}

}  // namespace capstan
