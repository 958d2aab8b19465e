// What `capstan audit` found, as values, as text for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "worker/eval/group_metrics.h"

namespace capstan {

struct UserAudit {
  std::string column, metric;
  std::vector<GroupFigure> groups;
  std::vector<UnfairnessIntervals> unfairness;  // rating: beside groups; ranking: none
};

struct ItemAudit {
  std::string column;
  std::vector<std::string> names;  // by ExposureFigure::group
  std::vector<ExposureFigure> groups;
};

struct Audit {
  std::string job, checkpoint, protocol;
  std::vector<UserAudit> users;
  std::vector<ItemAudit> items;
};

// The names behind the numbers of item_categories().
std::vector<std::string> category_names(const std::vector<std::string>& texts, char separator = '|');

std::string audit_text(const Audit& audit);
std::string audit_json(const Audit& audit);

}  // namespace capstan
