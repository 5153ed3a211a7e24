#include "executor/out/setup.hpp"

#include "executor/out/volume_files.hpp"

#include <boost/asio/post.hpp>

#include <sys/stat.h>
#include <utility>

namespace mysos::executor {
namespace {

/// On a pool thread.
Outcome<ServerPrograms> install_blocking(
    const wire::TaskData& data, const OnInstallProgress& on_progress)
{
    auto arguments = parse_installer_arguments(data.installer);
    if (arguments.has_error()) return arguments.error();
    arguments->flavor = data.flavor == "mysql" ? mysql::Flavor::mysql : mysql::Flavor::mariadb;
    const std::string cache = default_cache_dir();
    if (auto secured = secure_cache_dir(cache); secured.has_error()) return secured.error();
    return make_installer(*arguments, cache)->install(on_progress);
}

/// The way to a volume that is mounted in the sandbox leads through the sandbox, which Mesos keeps
/// from others: the server's user must be able to pass, not to look.
void let_pass(const std::string& directory)
{
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) return;
    constexpr mode_t permissions = 07777;
    // Should it fail, the server's own complaint about its directory is the better message.
    static_cast<void>(::chmod(directory.c_str(), (status.st_mode & permissions) | S_IXOTH));
}

/// On a pool thread.
Outcome<Volume> inspect_blocking(const std::string& volume, const std::string& sandbox)
{
    const auto user = server_user();
    if (user.has_error()) return user.error();
    if (*user && volume.starts_with(sandbox + "/")) let_pass(sandbox);
    return VolumeFiles{volume}.inspect();
}

/// On a pool thread.
Outcome<void> initialise_blocking(const InitialiseOrder& order, const std::string& volume)
{
    if (auto made = executor::initialise(order); made.has_error()) return made;
    const auto user = server_user();
    if (user.has_error()) return user.error();
    if (!*user) return {};
    return hand_over(volume, **user);
}

}  // namespace

Setup::Setup(
    boost::asio::any_io_executor executor, io::Offload& offload, io::Tasks& tasks, Post post)
    : executor_{std::move(executor)}, offload_{offload}, tasks_{tasks}, post_{std::move(post)}
{}

void Setup::begin(
    const wire::TaskData& data, std::string volume, std::string sandbox, std::string log_path)
{
    data_ = data;
    volume_ = std::move(volume);
    sandbox_ = std::move(sandbox);
    log_path_ = std::move(log_path);
}

void Setup::inspect()
{
    tasks_.spawn(inspect_now());
}

void Setup::install()
{
    tasks_.spawn(install_now());
}

void Setup::initialise()
{
    tasks_.spawn(initialise_now());
}

io::Awaitable<void> Setup::inspect_now()
{
    auto work = [volume = volume_, sandbox = sandbox_] {
        return inspect_blocking(volume, sandbox);
    };
    const Outcome<Volume> volume = co_await offload_.run(std::move(work));
    if (volume.has_error()) {
        post_(SetupFailed{volume.error().text});
    } else {
        post_(VolumeInspected{*volume});
    }
}

io::Awaitable<void> Setup::install_now()
{
    OnInstallProgress on_progress =
        [this, last = InstallProgress{}](const InstallProgress& progress) mutable {
            if (progress == last) return;
            last = progress;
            const bool fetching = progress.step == InstallProgress::Step::fetching;
            InstallProgressed input{
                fetching ? InstallProgressed::Step::fetching : InstallProgressed::Step::unpacking,
                progress.percent};
            boost::asio::post(executor_, [post = post_, input] { post(input); });
        };
    auto work = [data = data_, on_progress = std::move(on_progress)] {
        return install_blocking(data, on_progress);
    };
    const Outcome<ServerPrograms> programs = co_await offload_.run(std::move(work));
    if (programs.has_error()) {
        post_(SetupFailed{programs.error().text});
    } else {
        programs_ = *programs;
        post_(Installed{programs_.version});
    }
}

io::Awaitable<void> Setup::initialise_now()
{
    InitialiseOrder order;
    order.programs = programs_;
    order.directories = directories_on(volume_);
    order.cache_dir = default_cache_dir();
    order.log_path = log_path_;
    auto work = [order = std::move(order), volume = volume_] {
        return initialise_blocking(order, volume);
    };
    const Outcome<void> made = co_await offload_.run(std::move(work));
    if (made.has_error()) {
        post_(SetupFailed{made.error().text});
    } else {
        post_(DataInitialised{});
    }
}

}  // namespace mysos::executor
