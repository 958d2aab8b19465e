#include "common/config/reference.h"

#include <spdlog/fmt/fmt.h>

#include "common/config/schema.h"
#include "common/config/transforms.h"
#include "common/config/yaml_emit.h"
#include "common/text.h"

namespace capstan {
namespace {

constexpr std::string_view kIntroduction = R"(# The job file

Made from the schema by `capstan check --reference`; a test keeps it so.

A job is one YAML file. `job`, `data.train` and `model.type` must be given, and the columns that the task
reads: `data.label` for `ctr`, `data.user` and `data.item` for `ranking`, all three for `rating` (a MovieLens,
libsvm, libffm or Criteo file names them itself). Every other setting has a default. `capstan check JOB.yaml`
reports every mistake in one go, as `file:line:column: message` with the nearest right word. `capstan check
JOB.yaml --explain` prints the job with all defaults filled in and where each value came from.

* Sizes are bytes (`4096`) or have a unit: `64KiB`, `64MiB`, `1.5GiB`; `kB`, `MB`, `GB` count by
  thousands.
* Durations are seconds (`30`) or have a unit: `500ms`, `30s`, `5m`, `2h`, `7d`.
* `${NAME}` is the environment variable NAME, `${NAME:-value}` has a default, `$${` is a plain `${`.
* A list of one may be written without brackets.
* `--set path=value` changes a setting from the command line: `--set train.passes=3`,
  `--set 'evaluate.at=[5, 10]'`, `--set features[0].transform=hash`.
)";

// A table's cell: no line breaks, no bars.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string type_text(const TypeSpec& type) {
  std::string text = type.name;
  if (!type.range.empty()) text += ", " + type.range;
  return text;
}

std::string default_text(const KeySpec& key, const SectionSpec& section) {
  if (!key.default_note.empty()) return key.default_note;
  const YamlNode defaults = section.defaults();
  const YamlNode* value = defaults.find(key.name);
  if (value == nullptr || (value->is_scalar() && value->scalar.empty())) return "none";
  if (value->is_list() && value->items.empty()) return "none";
  return fmt::format("`{}`", emit_inline(*value));
}

std::string words_text(const std::vector<WordSpec>& words) {
  std::string text;
  for (const WordSpec& word : words) {
    text += text.empty() ? " " : ", ";
    text += fmt::format("`{}`", word.word);
    if (!word.doc.empty()) text += fmt::format(" ({})", word.doc);
  }
  return text.empty() ? "" : text + ".";
}

bool has_keys(const KeySpec& key) {
  return key.type.section != nullptr;
}

std::string path_below(const std::string& path, const KeySpec& key) {
  if (key.type.name.starts_with("list of")) return join_path(path, key.name) + "[]";
  if (key.type.name.starts_with("map of")) return join_path(path, key.name) + ".NAME";
  return join_path(path, key.name);
}

void write_rows(const SectionSpec& section, std::string& text) {
  text += "\n| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const KeySpec& key : section.keys) {
    const std::string name =
        key.alias.empty() ? fmt::format("`{}`", key.name) : fmt::format("`{}` or `{}`", key.name, key.alias);
    const std::string shown = has_keys(key) ? (key.default_note.empty() ? "see below" : key.default_note)
                                            : default_text(key, section);
    text += fmt::format("| {} | {} | {} | {}{} |\n", name, cell(type_text(key.type)), cell(shown),
                        cell(key.doc), cell(words_text(key.type.words)));
  }
}

void write_sections(const SectionSpec& section, const std::string& path, std::string& text) {
  for (const KeySpec& key : section.keys) {
    if (!has_keys(key)) continue;
    const std::string here = path_below(path, key);
    if (here == "tables.NAME.optimizer") continue;  // the keys of optimizer.sparse
    text += fmt::format("\n{} {}\n\n{}\n", path.empty() ? "##" : "###", here, key.doc);
    write_rows(*key.type.section, text);
    write_sections(*key.type.section, here, text);
  }
}

void write_transforms(std::string& text) {
  text +=
      "\n## Transforms\n\nA feature's `transform` is one step or a list of steps: `vocab`, "
      "`{vocab: {min_count: 5}}`, `[split, {hash: {buckets: 100000}}]`.\nWhat a step learns from data it "
      "learns "
      "from the training part only.\n\n| step | gives | meaning | options |\n|---|---|---|---|\n";
  for (const TransformInfo& transform : all_transforms()) {
    std::vector<std::string> options;
    for (const TransformOption& option : transform.options) {
      const std::string words = option.words.empty() ? "" : fmt::format(" ({})", join(option.words, ", "));
      const std::string standard =
          option.default_text.empty() ? "" : fmt::format(" = {}", option.default_text);
      options.push_back(fmt::format("`{}{}`: {}{}", option.name, standard, option.doc, words));
    }
    const char* gives = transform.output == TransformOutput::kNumber    ? "a number"
                        : transform.output == TransformOutput::kKeyList ? "a list of keys"
                                                                        : "a key";
    text += fmt::format("| `{}` | {} | {} | {} |\n", transform.name, gives, cell(transform.doc),
                        cell(join(options, "<br>")));
  }
}

}  // namespace

std::string job_reference() {
  std::string text(kIntroduction);
  const auto schema = job_schema();
  text += "\n## The job\n";
  write_rows(*schema, text);
  write_sections(*schema, "", text);
  write_transforms(text);
  return text;
}

}  // namespace capstan
