//! The API objects of OpenELB.
