#include "common/io/zookeeper.hpp"
#include "common/io/zookeeper_answers.hpp"
#include "common/io/zookeeper_impl.hpp"

#include <algorithm>
#include <utility>

namespace mysos::zookeeper {

namespace asio = boost::asio;

namespace {

using Repeat = Client::Impl::Repeat;
using Impl = Client::Impl;

int flags_of(CreateMode mode)
{
    switch (mode) {
        case CreateMode::persistent: return ZOO_PERSISTENT;
        case CreateMode::ephemeral: return ZOO_EPHEMERAL;
        case CreateMode::persistent_sequential: return ZOO_PERSISTENT_SEQUENTIAL;
        case CreateMode::ephemeral_sequential: return ZOO_EPHEMERAL_SEQUENTIAL;
    }
    return ZOO_PERSISTENT;
}

/// What a multi may hold beside its data; some is left for each part's head.
constexpr std::size_t path_bytes_max = 30'000;

int version_of(Version version)
{
    return static_cast<int>(version);
}
int size_of(const std::string& data)
{
    return static_cast<int>(data.size());
}

/// One part in the library's form; its outcome will be written into `path` and `stat`.
void prepare(zoo_op_t& part, const Op& op, const Impl& impl, std::string& path, ::Stat& stat)
{
    constexpr std::size_t sequence_digits = 10;
    const char* const name = op.path().c_str();
    switch (op.kind()) {
        case Op::Kind::create:
            path.assign(op.path().size() + sequence_digits + 1, '\0');
            zoo_create_op_init(
                &part,
                name,
                op.data().data(),
                size_of(op.data()),
                impl.acl(op.access()),
                flags_of(op.mode()),
                path.data(),
                size_of(path));
            return;
        case Op::Kind::set:
            zoo_set_op_init(
                &part,
                name,
                op.data().data(),
                size_of(op.data()),
                version_of(op.expected()),
                &stat);
            return;
        case Op::Kind::remove: zoo_delete_op_init(&part, name, version_of(op.expected())); return;
        case Op::Kind::check: zoo_check_op_init(&part, name, version_of(op.expected())); return;
    }
}

/// The part that did not hold, when it was the ensemble that said so.
std::optional<Refusal> refusal_in(const std::vector<zoo_op_result_t>& results, ErrorCode error)
{
    for (const Errc refused :
         {Errc::no_node,
          Errc::node_exists,
          Errc::bad_version,
          Errc::not_empty,
          Errc::no_children_for_ephemerals,
          Errc::not_authorized}) {
        if (error != refused) continue;
        const auto guilty = std::ranges::find_if(results, [](const zoo_op_result_t& result) {
            return result.err != ZOK && result.err != ZRUNTIMEINCONSISTENCY;
        });
        if (guilty == results.end()) return std::nullopt;
        return Refusal{
            .index = static_cast<std::size_t>(guilty - results.begin()),
            .why = errc_of_library(guilty->err)};
    }
    return std::nullopt;
}

}  // namespace

// ---- Writes: never repeated, since the first may have happened.

namespace operations {

asio::awaitable<Result<std::string>> create(
    std::shared_ptr<Impl> impl, std::string path, std::string data, CreateMode mode, Access access)
{
    if (data.size() > data_bytes_max) co_return Errc::bad_arguments;
    const auto request = impl->request(std::move(path), WatchKind::none);
    const ACL_vector* const acl = impl->acl(access);
    Impl::Submit submit = [data = std::move(data), acl, mode](
                              zhandle_t* library, Request& r, const void* context) {
        return zoo_acreate(
            library,
            r.path.c_str(),
            data.data(),
            size_of(data),
            acl,
            flags_of(mode),
            &answers::path,
            context);
    };
    const ErrorCode error = co_await Impl::perform(impl, request, std::move(submit), Repeat::never);
    if (error) co_return error;
    co_return std::move(request->data);
}

asio::awaitable<Result<void>> remove(std::shared_ptr<Impl> impl, std::string path, Version expected)
{
    const auto request = impl->request(std::move(path), WatchKind::none);
    Impl::Submit submit = [expected](zhandle_t* library, Request& r, const void* context) {
        return zoo_adelete(
            library, r.path.c_str(), version_of(expected), &answers::nothing, context);
    };
    const ErrorCode error = co_await Impl::perform(impl, request, std::move(submit), Repeat::never);
    if (error) co_return error;
    co_return Result<void>{};
}

asio::awaitable<Result<void>> remove_tree(std::shared_ptr<Impl> impl, std::string path)
{
    for (;;) {
        const auto names = co_await children(impl, path, WatchKind::none);
        if (!names) {
            if (names.error() == Errc::no_node) co_return Result<void>{};
            co_return names.error();
        }
        for (const std::string& name : names->value) {
            std::string child = path;
            child.append("/").append(name);
            const Result<void> removed = co_await remove_tree(impl, std::move(child));
            if (!removed) co_return removed;
        }
        const Result<void> removed = co_await remove(impl, path, any_version);
        if (removed || removed.error() == Errc::no_node) co_return Result<void>{};
        // Somebody added a child in between.
        if (removed.error() != Errc::not_empty) co_return removed;
    }
}

}  // namespace operations

asio::awaitable<Result<std::string>> Client::create(
    std::string path, std::string data, CreateMode mode, Access access)
{
    return operations::create(impl_, std::move(path), std::move(data), mode, access);
}

asio::awaitable<Result<void>> Client::remove(std::string path, Version expected)
{
    return operations::remove(impl_, std::move(path), expected);
}

asio::awaitable<Result<void>> Client::remove_tree(std::string path)
{
    return operations::remove_tree(impl_, std::move(path));
}

asio::awaitable<Result<Version>> Client::set(std::string path, std::string data, Version expected)
{
    if (data.size() > data_bytes_max) co_return Errc::bad_arguments;
    const auto request = impl_->request(std::move(path), WatchKind::none);
    Impl::Submit submit = [data = std::move(data), expected](
                              zhandle_t* library, Request& r, const void* context) {
        return zoo_aset(
            library,
            r.path.c_str(),
            data.data(),
            size_of(data),
            version_of(expected),
            &answers::stat,
            context);
    };
    const ErrorCode error =
        co_await Impl::perform(impl_, request, std::move(submit), Repeat::never);
    if (error) co_return error;
    co_return request->stat.version;
}

asio::awaitable<Result<MultiOutcome>> Client::multi(std::vector<Op> ops)
{
    std::size_t bytes = 0;
    for (const Op& op : ops) bytes += op.data().size() + op.path().size();
    if (bytes > data_bytes_max + path_bytes_max) co_return Errc::bad_arguments;
    const auto request = impl_->request("", WatchKind::none);
    // The library is handed these in its own form and writes each part's outcome through pointers
    // into the request, which lives until it has.
    request->op_results.resize(ops.size());
    request->op_paths.resize(ops.size());
    request->op_stats.resize(ops.size());
    const Impl* const impl = impl_.get();
    Impl::Submit submit = [&ops, impl](zhandle_t* library, Request& r, const void* context) {
        std::vector<zoo_op_t> parts(ops.size());
        for (std::size_t i = 0; i < ops.size(); ++i)
            prepare(parts[i], ops[i], *impl, r.op_paths[i], r.op_stats[i]);
        return zoo_amulti(
            library,
            static_cast<int>(parts.size()),
            parts.data(),
            r.op_results.data(),
            &answers::nothing,
            context);
    };
    const ErrorCode error =
        co_await Impl::perform(impl_, request, std::move(submit), Repeat::never);
    MultiOutcome outcome;
    if (error) {
        outcome.refusal = refusal_in(request->op_results, error);
        if (!outcome.refusal) co_return error;
        co_return outcome;
    }
    for (std::size_t i = 0; i < ops.size(); ++i) {
        OpResult result;
        if (ops[i].kind() == Op::Kind::create) {
            const std::string& buffer = request->op_paths[i];
            result.path = buffer.substr(0, buffer.find('\0'));
        }
        if (ops[i].kind() == Op::Kind::set) result.version = Version{request->op_stats[i].version};
        outcome.results.push_back(std::move(result));
    }
    co_return outcome;
}

asio::awaitable<Result<void>> Client::ensure_path(std::string path)
{
    const std::shared_ptr<Impl> impl = impl_;
    std::vector<std::string> missing;
    // From below, as mostly it is all there; and we may have no rights further up.
    for (std::string at = path; !at.empty(); at.resize(at.rfind('/'))) {
        const auto there = co_await operations::exists(impl, at, WatchKind::none);
        if (!there) co_return there.error();
        if (there->value) break;
        missing.push_back(at);
    }
    for (; !missing.empty(); missing.pop_back()) {
        const auto made = co_await operations::create(
            impl, missing.back(), "", CreateMode::persistent, Access::everyone_reads);
        if (made || made.error() == Errc::node_exists) continue;
        co_return made.error();
    }
    co_return Result<void>{};
}

}  // namespace mysos::zookeeper
