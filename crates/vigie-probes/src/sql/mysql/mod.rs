//! MySQL and MariaDB: addresses as mysql2, Sequelize and Prisma write them, and the login.

mod auth;
mod login;
mod packet;
mod session;
mod tls;

pub(super) use login::Login;
pub(super) use session::Session;
