#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "common/adapters/disk_files.h"
#include "worker/data/generate.h"
#include "worker/data/generate_support.h"

namespace capstan {
namespace {

constexpr std::int64_t kFirstTime = 1'000'000'000;
constexpr double kPeriod = 3.0 * 365.0 * 86400.0;  // seconds from the first event to the last
constexpr std::uint64_t kJudgedMax = 4'000'000;
constexpr std::string_view kGenres[] = {"Action",  "Comedy", "Crime",   "Drama",
                                        "Fantasy", "Horror", "Romance", "Thriller"};

struct RatingsTruth {
  explicit RatingsTruth(const GenerateOptions& options)
      : factors(options.factors),
        drift(options.drift),
        by_popularity(power_law(options.items, options.skew)) {
    Rng rng(combine(options.seed, 21));
    const double deviation = 1.0 / std::sqrt(std::sqrt(options.factors));
    users = normal_values(rng, std::size_t{options.users} * factors, deviation);
    user_drifts = normal_values(rng, users.size(), deviation);
    items = normal_values(rng, std::size_t{options.items} * factors, deviation);
    item_bias = normal_values(rng, options.items, 0.4);
    user_bias = normal_values(rng, options.users, 0.3);
    // Which item is how popular: a seeded shuffle of the ranks.
    item_of_rank.resize(options.items);
    for (std::uint32_t i = 0; i < options.items; ++i) item_of_rank[i] = i;
    for (std::uint32_t i = options.items - 1; i > 0; --i)
      std::swap(item_of_rank[i], item_of_rank[rng.below(i + 1)]);
  }

  // How well the item fits the user's taste at `age` in [0, 1] of the period: deviation about 1.
  double taste(std::uint32_t user, std::uint32_t item, double age) const {
    double dot = 0.0;
    for (std::uint32_t k = 0; k < factors; ++k) {
      const std::size_t u = std::size_t{user} * factors + k;
      dot += (users[u] + drift * age * user_drifts[u]) * items[std::size_t{item} * factors + k];
    }
    return dot;
  }
  double mean_rating(std::uint32_t user, std::uint32_t item, double age) const {
    return 3.4 + user_bias[user] + item_bias[item] + 0.6 * taste(user, item, age);
  }

  std::uint32_t factors;
  double drift;
  AliasTable by_popularity;
  std::vector<double> users, user_drifts;  // [users, factors]
  std::vector<double> items;               // [items, factors]
  std::vector<double> user_bias, item_bias;
  std::vector<std::uint32_t> item_of_rank;
};

// An item that the user has not had, by popularity and taste; absent when none is found in bounded tries.
std::optional<std::uint32_t> draw_item(const RatingsTruth& truth, std::uint32_t user, double age,
                                       std::unordered_set<std::uint32_t>& had, Rng& rng) {
  constexpr int kTries = 200;
  for (int tries = 0; tries < kTries; ++tries) {
    const std::uint32_t item = truth.item_of_rank[truth.by_popularity.draw(rng.next())];
    if (had.contains(item)) continue;
    if (!rng.chance(sigmoid(2.0 * truth.taste(user, item, age) - 1.0))) continue;
    had.insert(item);
    return item;
  }
  return std::nullopt;
}

void write_user(const GenerateOptions& options, const RatingsTruth& truth, std::uint32_t user,
                LineWriter& file, GenerateSummary& summary, Judged& judged) {
  Rng rng(combine(options.seed, 22, user));
  // Activity: log-normal with the mean that `rows` asks for.
  const double mean = static_cast<double>(options.rows) / options.users;
  constexpr double kSpread = 0.8;
  const double wanted = mean * std::exp(kSpread * rng.normal() - 0.5 * kSpread * kSpread);
  const auto events = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted + 0.5));
  const double begin = 0.8 * rng.uniform();
  std::vector<double> ages(std::min<std::uint64_t>(events, options.items));
  for (double& age : ages) age = begin + (1.0 - begin) * rng.uniform() * rng.uniform();
  std::sort(ages.begin(), ages.end());
  std::unordered_set<std::uint32_t> had;  // only looked up
  for (const double age : ages) {
    const auto item = draw_item(truth, user, age, had, rng);
    if (!item) break;
    const double mean_rating = truth.mean_rating(user, *item, age);
    const double stars = std::clamp(std::round(2.0 * (mean_rating + 0.7 * rng.normal())) / 2.0, 0.5, 5.0);
    const auto time = kFirstTime + static_cast<std::int64_t>(age * kPeriod);
    file.write(fmt::format("{},{},{},{}\n", user + 1, *item + 1, stars, time));
    ++summary.rows;
    if (judged.labels.size() < kJudgedMax)
      judged.add(stars >= 4.0, mean_rating, truth.item_bias[*item] + truth.user_bias[user]);
  }
}

Status write_items(Storage& storage, const std::string& path, const GenerateOptions& options,
                   const RatingsTruth& truth) {
  CAPSTAN_ASSIGN(LineWriter file, LineWriter::open(storage, path));
  file.write("movieId,title,genres\n");
  for (std::uint32_t item = 0; item < options.items; ++item) {
    // The genre is the strongest factor and its sign, so that side features carry some of the truth.
    const double* factors = truth.items.data() + std::size_t{item} * truth.factors;
    std::uint32_t strongest = 0;
    for (std::uint32_t k = 1; k < truth.factors; ++k) {
      if (std::abs(factors[k]) > std::abs(factors[strongest])) strongest = k;
    }
    const std::size_t genre = (2 * strongest + (factors[strongest] < 0.0 ? 1 : 0)) % std::size(kGenres);
    file.write(fmt::format("{},\"Film {}, The\",{}\n", item + 1, item + 1, kGenres[genre]));
  }
  return file.finish();
}

}  // namespace

Result<GenerateSummary> generate_ratings(const GenerateOptions& options) {
  DiskFiles storage;
  const RatingsTruth truth(options);
  GenerateSummary summary;
  summary.files = {options.out_dir + "/ratings.csv", options.out_dir + "/movies.csv"};
  CAPSTAN_TRY(write_items(storage, summary.files[1], options, truth));
  CAPSTAN_ASSIGN(LineWriter file, LineWriter::open(storage, summary.files[0]));
  file.write("userId,movieId,rating,timestamp\n");
  Judged judged;
  for (std::uint32_t user = 0; user < options.users; ++user)
    write_user(options, truth, user, file, summary, judged);
  CAPSTAN_TRY(file.finish());
  summary.positive_rate = judged.positive_rate();
  summary.best_auc = judged.best_auc();
  summary.linear_auc = judged.linear_auc();
  summary.text = fmt::format(
      "{} ratings of {} items by {} users; {:.1f} % are of 4 stars and more\n"
      "best attainable AUC for those {:.4f}; biases alone reach {:.4f}",
      summary.rows, options.items, options.users, 100.0 * summary.positive_rate, summary.best_auc,
      summary.linear_auc);
  return summary;
}

}  // namespace capstan
