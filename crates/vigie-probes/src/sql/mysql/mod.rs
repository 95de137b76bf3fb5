//! MySQL and MariaDB: addresses in the formats of mysql2, Sequelize and Prisma, and the login.

mod auth;
mod login;
mod packet;
mod session;
mod tls;

pub(super) use login::Login;
pub(super) use session::Session;
