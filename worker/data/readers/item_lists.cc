#include "worker/data/readers/item_lists.h"

#include <spdlog/fmt/fmt.h>

#include "worker/data/readers/libsvm.h"

namespace capstan {
namespace {

class ItemLists final : public LineFormat {
 public:
  Result<std::vector<std::string>> begin(std::string_view&) override {
    return std::vector<std::string>{"user", "item", "time"};
  }

  LineProblem parse(std::string_view line, Cells& cells) const override {
    const std::string_view user = take_token(line);
    std::uint64_t place = 0;
    for (auto item = take_token(line); !item.empty(); item = take_token(line)) {
      cells.add(user);
      cells.add(item);
      cells.add_owned(std::to_string(++place));
    }
    if (place == 0) return {"no items", fmt::format("user '{}' has no items", user)};
    return {};
  }
};

}  // namespace

std::unique_ptr<LineFormat> make_item_lists() {
  return std::make_unique<ItemLists>();
}

}  // namespace capstan
