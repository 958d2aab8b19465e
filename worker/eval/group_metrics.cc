#include "worker/eval/group_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "common/assert.h"
#include "common/rng.h"
#include "common/text.h"

namespace capstan {
namespace {

std::string bound_name(const std::vector<double>& bounds, std::size_t bin) {
  if (bin == 0) return fmt::format("below {:g}", bounds.front());
  if (bin == bounds.size()) return fmt::format("{:g} and above", bounds.back());
  return fmt::format("{:g} to below {:g}", bounds[bin - 1], bounds[bin]);
}

// Of each user how often a sample with replacement has drawn it.
void draw(std::vector<std::uint32_t>& weights, Rng& rng) {
  std::fill(weights.begin(), weights.end(), 0U);
  for (std::size_t i = 0; i < weights.size(); ++i) ++weights[rng.below(weights.size())];
}

struct Sum {
  double total = 0.0, count = 0.0;
  double mean() const { return total / count; }
};

}  // namespace

Groups groups_of(const std::vector<std::string>& texts, const std::vector<double>& bounds) {
  Groups groups;
  std::map<std::string, std::uint32_t> numbers;
  std::vector<std::size_t> bins(texts.size(), bounds.size() + 1);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (bounds.empty()) {
      if (!texts[i].empty()) numbers[texts[i]] = 0;
      continue;
    }
    const auto number = parse_double(texts[i]);
    if (!number || !std::isfinite(*number)) continue;
    const auto above = std::upper_bound(bounds.begin(), bounds.end(), *number);
    bins[i] = static_cast<std::size_t>(above - bounds.begin());
  }
  for (std::size_t bin = 0; !bounds.empty() && bin <= bounds.size(); ++bin)
    groups.names.push_back(bound_name(bounds, bin));
  for (auto& [name, number] : numbers) {
    number = static_cast<std::uint32_t>(groups.names.size());
    groups.names.push_back(name);
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool none = bounds.empty() ? texts[i].empty() : bins[i] > bounds.size();
    groups.of.push_back(none             ? kNoGroup
                        : bounds.empty() ? numbers.at(texts[i])
                                         : static_cast<std::uint32_t>(bins[i]));
  }
  return groups;
}

std::vector<GroupFigure> compare_groups(std::span<const double> values, std::span<const std::uint32_t> group,
                                        const std::vector<std::string>& names,
                                        const BootstrapOptions& options) {
  CAPSTAN_ASSERT(values.size() == group.size(), "a group for every user");
  std::vector<std::size_t> users;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (group[i] != kNoGroup && !std::isnan(values[i])) users.push_back(i);
  }
  std::vector<std::uint32_t> weights(users.size(), 1);
  std::vector<std::vector<double>> means(names.size()), differences(names.size());
  std::vector<Sum> sums(names.size());
  const auto look = [&](const auto& keep) {
    std::fill(sums.begin(), sums.end(), Sum{});
    Sum all;
    for (std::size_t i = 0; i < users.size(); ++i) {
      Sum& own = sums[group[users[i]]];
      const double weight = weights[i], value = values[users[i]];
      own.total += weight * value;
      own.count += weight;
      all.total += weight * value;
      all.count += weight;
    }
    for (std::size_t g = 0; g < names.size(); ++g) {
      if (sums[g].count == 0.0) continue;
      const Sum rest{all.total - sums[g].total, all.count - sums[g].count};
      keep(g, sums[g].mean(), rest.count == 0.0 ? 0.0 : sums[g].mean() - rest.mean());
    }
  };
  Rng rng(options.seed);
  for (std::uint32_t sample = 0; sample < options.samples && !users.empty(); ++sample) {
    draw(weights, rng);
    look([&](std::size_t g, double mean, double difference) {
      means[g].push_back(mean);
      differences[g].push_back(difference);
    });
  }
  std::fill(weights.begin(), weights.end(), 1U);
  std::vector<GroupFigure> figures;
  look([&](std::size_t g, double mean, double difference) {
    figures.push_back({names[g], static_cast<std::uint64_t>(sums[g].count),
                       percentile_interval(mean, means[g], options.confidence),
                       percentile_interval(difference, differences[g], options.confidence)});
  });
  return figures;
}

Unfairness unfairness(const RatedExamples& examples, std::span<const std::uint32_t> group,
                      std::uint32_t which, std::span<const std::uint32_t> weights, std::uint32_t num_items) {
  struct Side {
    double predicted = 0.0, rated = 0.0, count = 0.0;
    double error() const { return (predicted - rated) / count; }
  };
  std::vector<Side> of_group(num_items), of_others(num_items);
  for (std::size_t i = 0; i < examples.users.size(); ++i) {
    const std::uint32_t user = examples.users[i];
    if (group[user] == kNoGroup) continue;
    Side& side = (group[user] == which ? of_group : of_others)[examples.items[i]];
    const double weight = weights[user];
    side.predicted += weight * static_cast<double>(examples.predictions[i]);
    side.rated += weight * static_cast<double>(examples.ratings[i]);
    side.count += weight;
  }
  Unfairness sum;
  for (std::uint32_t item = 0; item < num_items; ++item) {
    if (of_group[item].count == 0.0 || of_others[item].count == 0.0) continue;
    const double own = of_group[item].error(), other = of_others[item].error();
    sum.value += std::abs(own - other);
    sum.absolute += std::abs(std::abs(own) - std::abs(other));
    sum.under += std::abs(std::max(0.0, -own) - std::max(0.0, -other));
    sum.over += std::abs(std::max(0.0, own) - std::max(0.0, other));
    ++sum.items;
  }
  if (sum.items == 0) return sum;
  const double items = static_cast<double>(sum.items);
  return {sum.value / items, sum.absolute / items, sum.under / items, sum.over / items, sum.items};
}

UnfairnessIntervals bootstrap_unfairness(const RatedExamples& examples, std::span<const std::uint32_t> group,
                                         std::uint32_t which, std::uint32_t num_items,
                                         const BootstrapOptions& options) {
  std::vector<std::uint32_t> weights(group.size(), 1);
  const Unfairness whole = unfairness(examples, group, which, weights, num_items);
  Rng rng(options.seed);
  std::vector<double> value, absolute, under, over;
  for (std::uint32_t sample = 0; sample < options.samples; ++sample) {
    draw(weights, rng);
    const Unfairness drawn = unfairness(examples, group, which, weights, num_items);
    if (drawn.items == 0) continue;
    value.push_back(drawn.value);
    absolute.push_back(drawn.absolute);
    under.push_back(drawn.under);
    over.push_back(drawn.over);
  }
  const auto interval = [&](double estimate, const std::vector<double>& outcomes) {
    return percentile_interval(estimate, outcomes, options.confidence);
  };
  UnfairnessIntervals result{interval(whole.value, value),
                             interval(whole.absolute, absolute),
                             interval(whole.under, under),
                             interval(whole.over, over),
                             whole.items,
                             {}};
  std::fill(weights.begin(), weights.end(), 1U);
  std::vector<std::uint32_t> dealt(group.begin(), group.end());
  const std::uint32_t dealings = std::max(1U, options.samples / 10);
  for (std::uint32_t i = 0; i < dealings; ++i) {
    for (std::size_t user = dealt.size(); user > 1; --user)
      std::swap(dealt[user - 1], dealt[rng.below(user)]);
    const Unfairness chance = unfairness(examples, dealt, which, weights, num_items);
    result.by_chance.value += chance.value / dealings;
    result.by_chance.absolute += chance.absolute / dealings;
    result.by_chance.under += chance.under / dealings;
    result.by_chance.over += chance.over / dealings;
  }
  return result;
}

std::vector<ExposureFigure> exposure_ratios(std::span<const std::uint32_t> lists, std::uint32_t length,
                                            const std::vector<std::vector<std::uint32_t>>& item_groups,
                                            std::span<const std::uint32_t> item_counts,
                                            const BootstrapOptions& options) {
  std::uint32_t groups = 0;
  for (const auto& own : item_groups) {
    for (const std::uint32_t group : own) groups = std::max(groups, group + 1);
  }
  const auto deal = [&](std::uint32_t item, double worth, double* to) {
    for (const std::uint32_t group : item_groups[item])
      to[group] += worth / static_cast<double>(item_groups[item].size());
  };
  const auto shares = [&](std::vector<double> sums) {
    double total = 0.0;
    for (const double sum : sums) total += sum;
    for (double& sum : sums) sum = total == 0.0 ? 0.0 : sum / total;
    return sums;
  };
  std::vector<double> events(groups, 0.0);
  for (std::uint32_t item = 0; item < item_groups.size(); ++item)
    deal(item, item_counts[item], events.data());
  events = shares(std::move(events));
  const std::size_t users = length == 0 ? 0 : lists.size() / length;
  std::vector<double> of_user(users * groups, 0.0);
  for (std::size_t at = 0; at < users * length; ++at) {
    if (lists[at] == 0xffffffffU) continue;
    const double place = static_cast<double>(at % length);
    deal(lists[at], 1.0 / std::log2(place + 2.0), of_user.data() + at / length * groups);
  }
  std::vector<std::uint32_t> weights(users, 1);
  const auto exposure = [&] {
    std::vector<double> sums(groups, 0.0);
    for (std::size_t user = 0; user < users; ++user) {
      for (std::uint32_t group = 0; group < groups; ++group)
        sums[group] += weights[user] * of_user[user * groups + group];
    }
    return shares(std::move(sums));
  };
  const std::vector<double> whole = exposure();
  std::vector<std::vector<double>> outcomes(groups);
  Rng rng(options.seed);
  for (std::uint32_t sample = 0; sample < options.samples && users > 0; ++sample) {
    draw(weights, rng);
    const std::vector<double> drawn = exposure();
    for (std::uint32_t group = 0; group < groups; ++group) {
      if (events[group] > 0.0) outcomes[group].push_back(drawn[group] / events[group]);
    }
  }
  std::vector<ExposureFigure> figures;
  for (std::uint32_t group = 0; group < groups; ++group) {
    if (events[group] == 0.0) continue;
    figures.push_back(
        {group, events[group], whole[group],
         percentile_interval(whole[group] / events[group], outcomes[group], options.confidence)});
  }
  return figures;
}

}  // namespace capstan
