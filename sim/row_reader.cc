#include "sim/row_reader.h"

#include "common/assert.h"
#include "common/rpc.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kTimeout = 1s;
constexpr Duration kPatience = 60s;

class Reader {
 public:
  Reader(SimNode& node, std::string job_id, TableSpec table)
      : rpc_(node.loop(), node.transport()),
        transport_(node.transport()),
        job_id_(std::move(job_id)),
        table_(std::move(table)) {}

  void ask(const std::string& endpoint, const std::vector<Key>& keys) {
    auto peer = transport_.connect(endpoint);
    CAPSTAN_ASSERT(peer.ok(), "an endpoint of the world");
    left_ += keys.size();
    greet(*peer, keys);
  }
  bool done() const { return left_ == 0; }
  std::map<Key, std::vector<float>> rows;

 private:
  void greet(PeerId peer, const std::vector<Key>& keys) {
    Hello hello;
    hello.job_id = job_id_;
    hello.name = "reader";
    rpc_.call(peer, hello, kTimeout, [this, peer, keys](const Result<Message>& reply) {
      if (!reply.ok()) return greet(peer, keys);
      for (const Key key : keys) get(peer, key);
    });
  }
  void get(PeerId peer, Key key) {
    const GetRows request{table_.name, Buffer::copy_of(std::span<const Key>(&key, 1))};
    rpc_.call(peer, request, kTimeout, [this, peer, key](const Result<Message>& reply) {
      const auto* answer = reply.ok() ? std::get_if<GetRowsReply>(&*reply) : nullptr;
      if (answer == nullptr) return get(peer, key);
      --left_;
      if (answer->found.empty() || !answer->found[0]) return;
      CAPSTAN_ASSERT(answer->rows.size() >= values_bytes(table_.dtype, table_.dim), "a whole row");
      std::vector<float>& row = rows[key];
      row.resize(table_.dim);
      widen(table_.dtype, answer->rows.data(), table_.dim, row.data());
    });
  }

  Rpc rpc_;
  Transport& transport_;
  std::string job_id_;
  TableSpec table_;
  std::size_t left_ = 0;
};

}  // namespace

std::map<Key, std::vector<float>> read_rows(SimWorld& world, SimNode& node, const std::string& job_id,
                                            const std::vector<std::string>& endpoints, const TableSpec& table,
                                            const std::vector<Key>& keys) {
  Reader reader(node, job_id, table);
  for (const std::string& endpoint : endpoints) reader.ask(endpoint, keys);
  const bool done = world.run_until([&] { return reader.done(); }, kPatience);
  CAPSTAN_ASSERT(done, "servers answer when there are no faults");
  return std::move(reader.rows);
}

}  // namespace capstan
