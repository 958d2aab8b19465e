// Group metrics: whether lists and predictions serve some users, or show some items, worse than others.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "worker/eval/bootstrap.h"

namespace capstan {

inline constexpr std::uint32_t kNoGroup = 0xffffffffU;  // is of no group, and left out

struct Groups {
  std::vector<std::string> names;
  std::vector<std::uint32_t> of;  // of each user or item: an index into names, or kNoGroup
};

// texts: of each user or item; empty: no group. In the order of their names. bounds, ascending: the texts are
// numbers, and the groups "below 18", "18 to below 25", ..., "56 and above". A text that is no number has
// none.
Groups groups_of(const std::vector<std::string>& texts, const std::vector<double>& bounds = {});

struct GroupFigure {
  std::string name;
  std::uint64_t users = 0;
  Interval mean;        // of this group's users
  Interval difference;  // from the mean of all other users that have a group
};

// values and group are [users]; NaN values are left out. Users are drawn with replacement from all of them,
// so that the groups' sizes vary too. A group without a user with a value is left out.
std::vector<GroupFigure> compare_groups(std::span<const double> values, std::span<const std::uint32_t> group,
                                        const std::vector<std::string>& names,
                                        const BootstrapOptions& options);

// Rating errors of a group (g) against all others (n), from the mean prediction y and mean rating r that each
// side has of item j; the mean over the items that both sides rated of
//   value     |(Eg[y] - Eg[r]) - (En[y] - En[r])|
//   absolute  ||Eg[y] - Eg[r]| - |En[y] - En[r]||
//   under     |max(0, Eg[r] - Eg[y]) - max(0, En[r] - En[y])|
//   over      |max(0, Eg[y] - Eg[r]) - max(0, En[y] - En[r])|
// Source: Yao and Huang, "Beyond Parity: Fairness Objectives for Collaborative Filtering" (NeurIPS 2017),
// equations 5 to 8.
struct Unfairness {
  double value = 0.0, absolute = 0.0, under = 0.0, over = 0.0;
  std::uint64_t items = 0;  // rated by both sides
};

struct RatedExamples {  // [examples] each
  std::span<const float> predictions, ratings;
  std::span<const std::uint32_t> users, items;
};

// group: [num_users]. weights: how often each user counts.
Unfairness unfairness(const RatedExamples& examples, std::span<const std::uint32_t> group,
                      std::uint32_t which, std::span<const std::uint32_t> weights, std::uint32_t num_items);

struct UnfairnessIntervals {
  Interval value, absolute, under, over;
  std::uint64_t items = 0;
  // What the same users would have if their groups were dealt out anew at random: the four are means of
  // absolute values, so they are above 0 without any unfairness, the more so the fewer ratings an item has.
  Unfairness by_chance;
};

// The mean over `options.samples` / 10 random dealings is by_chance.
UnfairnessIntervals bootstrap_unfairness(const RatedExamples& examples, std::span<const std::uint32_t> group,
                                         std::uint32_t which, std::uint32_t num_items,
                                         const BootstrapOptions& options);

// Share of the exposure that items of each group get in the lists, over the group's share of the training
// events: 1 is as much as users gave it, below 1 less. An item of several groups deals itself out evenly. The
// place of rank r (from 0) is worth 1 / log2(r + 2). Source: Singh and Joachims, "Fairness of Exposure in
// Rankings" (KDD 2018), with popularity for merit.
struct ExposureFigure {
  std::uint32_t group = 0;
  double share_of_events = 0.0, share_of_exposure = 0.0;
  Interval ratio;  // users drawn with replacement
};

// lists: [users, length], 0xffffffff after the last. item_groups: [num_items]. Groups without events are left
// out.
std::vector<ExposureFigure> exposure_ratios(std::span<const std::uint32_t> lists, std::uint32_t length,
                                            const std::vector<std::vector<std::uint32_t>>& item_groups,
                                            std::span<const std::uint32_t> item_counts,
                                            const BootstrapOptions& options);

}  // namespace capstan
