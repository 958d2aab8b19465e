// How far from its arithmetic is a training step of a whole cluster?
//   bench_train_step FOLDER [rounds=5] [passes=4] [examples=409600] [hidden=400-400-400] [--json]
// A scheduler, a server and a worker as processes on this machine train DeepFM: 26 categories of 16 floats by
// Zipf's law, 13 numbers, batches of 4,096, Adagrad for rows and layers. Each round trains once; passes from
// the second on count. Beside it, in the same round and on all cores: the products of the same layers alone,
// forward and both backward, which is the bound; in processor time too, since others may use the cores. Where
// the time goes comes from a trace of two seconds: the median of what a step takes to be built, pulled,
// computed and pushed, which overlap, and the processor time of an example.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>
#include <vector>

#include "bench/arguments.h"
#include "bench/cluster.h"
#include "bench/layer_products.h"
#include "common/text.h"
#include "worker/data/generate_support.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr int kCategories = 26, kNumbers = 13;
constexpr std::uint32_t kDim = 16, kBatch = 4096, kValues = 100'000;
constexpr double kZipf = 1.02;

struct Settings {
  std::string folder;
  std::size_t rounds = 5, passes = 4, examples = 409'600;
  std::string hidden = "400-400-400";
  bool json = false;

  std::vector<std::uint32_t> widths() const {
    std::vector<std::uint32_t> widths = {kCategories * kDim + kNumbers};
    for (const auto width : split_text(hidden, "-")) {
      const auto value = parse_uint(width);
      if (!value.has_value()) give_up("hidden is widths like 400-400-400");
      widths.push_back(static_cast<std::uint32_t>(*value));
    }
    widths.push_back(1);
    return widths;
  }
};

// One value a round; the spans' names are those of `capstan trace`.
struct Figures {
  std::vector<double> rate, bound, ratio, processor_ratio;  // examples a second
  std::vector<double> worker_us, server_us, products_us;    // of processor time, an example
  std::map<std::string, std::vector<double>> ms;            // of a step
};

void write_data(const std::string& path, std::size_t examples) {
  Rng rng(1);
  const AliasTable draw(power_law(kValues, kZipf));
  std::ofstream out(path);
  for (std::size_t i = 0; i < examples; ++i) {
    std::string line(rng.chance(0.25) ? "1" : "0");
    for (int n = 0; n < kNumbers; ++n) line += fmt::format("\t{:.3f}", rng.normal());
    for (int c = 0; c < kCategories; ++c) line += fmt::format("\t{:x}", draw.draw(rng.next()));
    out << line << '\n';
  }
  if (!out.flush()) give_up("cannot write " + path);
}

std::string job_text(const Settings& settings) {
  std::string layers = settings.hidden;
  std::replace(layers.begin(), layers.end(), '-', ',');
  std::string features;
  for (int n = 1; n <= kNumbers; ++n)
    features += fmt::format("  - {{name: I{0}, column: I{0}, transform: zscore}}\n", n);
  for (int c = 1; c <= kCategories; ++c)
    features += fmt::format("  - {{name: C{0}, column: C{0}, transform: hash}}\n", c);
  return fmt::format(R"(job: {}
task: ctr
data:
  format: criteo
  train: [{}/train.tsv]
  split: {{method: ratio, valid: 0, test: 0.01}}
features:
{}model: {{type: deepfm, embedding_dim: {}, hidden: [{}]}}
optimizer:
  sparse: {{type: adagrad, learning_rate: 0.02}}
  dense: {{type: adagrad, learning_rate: 0.01}}
train: {{passes: {}, batch_size: {}}}
cluster: {{servers: 1, workers: 1}}
work_dir: {}/work
report: {}/report.json
)",
                     kBenchJob, settings.folder, features, kDim, layers, settings.passes, kBatch,
                     settings.folder, settings.folder);
}

json::object object_of(const std::string& text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  return !error && value.is_object() ? value.as_object() : json::object{};
}

void note_spans(const std::string& path, Figures& figures, double& examples) {
  std::map<std::string, std::vector<double>> found;
  const json::object trace = object_of(text_of_file(path));
  if (!trace.contains("traceEvents")) give_up("no trace in " + path);
  for (const json::value& each : trace.at("traceEvents").as_array()) {
    const json::object& event = each.as_object();
    if (event.at("ph").as_string() != "X") continue;
    const std::string name(event.at("name").as_string());
    found[name].push_back(event.at("dur").to_number<double>() / 1e3);
    if (name == "compute") examples += kBatch;
  }
  for (const char* name : {"build", "pull", "compute", "push", "serve pull", "apply push"}) {
    if (!found[name].empty()) figures.ms[name].push_back(median(found[name]));
  }
}

// The first pass makes the rows; the trace is of a later one.
void take_trace(BenchCluster& cluster, Figures& figures) {
  while (true) {
    const json::object status = object_of(cluster.ask({"status", "--json"}));
    if (!status.empty() && status.at("pass").to_number<int>() > 1) break;
    std::this_thread::sleep_for(200ms);
  }
  const std::string path = cluster.job().folder + "/trace.json";
  const double worker = cluster.worker_seconds(), server = cluster.server_seconds();
  if (cluster.ask({"trace", "--seconds", "2", "--out", path}).empty())
    give_up("the job ended before its trace");
  const double worker_took = cluster.worker_seconds() - worker;
  const double server_took = cluster.server_seconds() - server;
  double examples = 0.0;
  note_spans(path, figures, examples);
  figures.worker_us.push_back(1e6 * worker_took / examples);
  figures.server_us.push_back(1e6 * server_took / examples);
}

void measure(const Settings& settings, Figures& figures) {
  const ProductCost products = product_cost(settings.widths(), kBatch);
  figures.bound.push_back(products.examples_per_second);
  figures.products_us.push_back(products.processor_us);
  std::filesystem::remove(settings.folder + "/report.json");
  BenchJob job;
  job.folder = settings.folder;
  job.text = job_text(settings);
  job.workers = 1;
  BenchCluster cluster(job);
  take_trace(cluster, figures);
  cluster.wait();
  const json::object report = object_of(text_of_file(settings.folder + "/report.json"));
  if (!report.contains("passes")) give_up("no report");
  double examples = 0.0, seconds = 0.0;
  for (const json::value& pass : report.at("passes").as_array()) {
    if (pass.at("pass").to_number<int>() == 1) continue;
    examples += pass.at("examples").to_number<double>();
    seconds += pass.at("seconds").to_number<double>();
  }
  figures.rate.push_back(examples / seconds);
  figures.ratio.push_back(figures.rate.back() / figures.bound.back());
  figures.processor_ratio.push_back(figures.products_us.back() /
                                    (figures.worker_us.back() + figures.server_us.back()));
}

void print(const Settings& settings, const Figures& figures) {
  if (settings.json) {
    json::object out = {{"hidden", settings.hidden},
                        {"rounds", settings.rounds},
                        {"examples_per_second", median(figures.rate)},
                        {"bound_examples_per_second", median(figures.bound)},
                        {"ratio", median(figures.ratio)},
                        {"processor_ratio", median(figures.processor_ratio)},
                        {"products_us_an_example", median(figures.products_us)},
                        {"worker_us_an_example", median(figures.worker_us)},
                        {"server_us_an_example", median(figures.server_us)}};
    json::object ms;
    for (const auto& each : figures.ms) ms[each.first] = median(each.second);
    out["ms_a_step"] = std::move(ms);
    std::printf("%s\n", json::serialize(out).c_str());
    return;
  }
  std::printf("cluster           %s k examples/s\n", with_spread(figures.rate, 1e-3, 1).c_str());
  std::printf("products alone    %s k examples/s\n", with_spread(figures.bound, 1e-3, 1).c_str());
  std::printf("ratio             %s; of processor time %s\n", with_spread(figures.ratio).c_str(),
              with_spread(figures.processor_ratio).c_str());
  std::printf("processor time an example: worker %s us, server %s us; products alone %s us\n",
              with_spread(figures.worker_us, 1, 1).c_str(), with_spread(figures.server_us, 1, 1).c_str(),
              with_spread(figures.products_us, 1, 1).c_str());
  for (const auto& each : figures.ms) {
    std::printf("  %-12s %s ms a step\n", each.first.c_str(), with_spread(each.second, 1, 1).c_str());
  }
}

void run(Settings settings) {
  settings.folder = std::filesystem::absolute(settings.folder).string();
  std::filesystem::create_directories(settings.folder);
  if (!settings.json) {
    std::printf("%s\nDeepFM %d x %u + %d, hidden %s, batches of %u, %zu examples, %zu passes\n",
                conditions().c_str(), kCategories, kDim, kNumbers, settings.hidden.c_str(), kBatch,
                settings.examples, settings.passes);
    std::fflush(stdout);
  }
  write_data(settings.folder + "/train.tsv", settings.examples);
  Figures figures;
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    measure(settings, figures);
    std::fprintf(stderr, "round %zu of %zu: %.1f k examples/s, %.2f of the products alone\n", round + 1,
                 settings.rounds, figures.rate.back() / 1e3, figures.ratio.back());
  }
  print(settings, figures);
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  const char* usage = "bench_train_step FOLDER [rounds] [passes] [examples] [hidden: 400-400-400] [--json]";
  capstan::Arguments arguments(argc, argv, usage);
  capstan::Settings settings;
  settings.folder = arguments.folder();
  settings.json = arguments.json();
  arguments.take(settings.rounds);
  arguments.take(settings.passes);
  arguments.take(settings.examples);
  arguments.take(settings.hidden);
  capstan::run(settings);
  return 0;
}
