//! The backend of the demo.

/// Its routes, as its developers would configure them.
pub const ROUTES: [&str; 24] = [
    "GET /",
    "GET /players",
    "POST /players",
    "GET /players/:id",
    "HEAD /players/:id",
    "PATCH /players/:id",
    "GET /players/:id/buildings",
    "POST /players/:id/buildings/:building/upgrade",
    "GET /players/:id/resources",
    "PUT /players/:id/avatar",
    "POST /players/:id/attack",
    "POST /players/:id/mail",
    "GET /guilds/:guild/members",
    "GET /guilds/:guild/members/:member",
    "GET /guilds/:guild/score",
    "GET /orders",
    "POST /orders",
    "GET /orders/:id",
    "DELETE /orders/:id",
    "GET /market/:resource",
    "GET /market/:resource/stock",
    "POST /market/:resource/crash",
    "/reports/*",
    "POST /admin/block",
];
